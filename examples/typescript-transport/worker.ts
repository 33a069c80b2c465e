/** Answers what comes by its standard input, until that ends. */
import { Rep } from 'nanomsg-native'
import './command.js'

const rep = new Rep()
rep.connect('stdio://')
rep.on('disconnect', () => process.exit())
void rep.serve((request) => String(request).toUpperCase())
