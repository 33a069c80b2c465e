#!/usr/bin/env node
// nanocat, with the name that chooses its socket type: npm may call it by the path of this file.
import '../main.js'
