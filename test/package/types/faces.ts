// What the declarations of the other faces promise: compiled, never run.
import { type NanomsgError, Pair } from 'nanomsg-native'
import nano, {
  type Domain,
  type Options,
  type Protocol,
  type Socket,
  type SocketType,
  socket,
} from 'nanomsg-native/compat'
import { NN_DONTWAIT, NN_MSG, type nn_pollfd, nn_recv } from 'nanomsg-native/nn'

export const sub: Socket = nano.socket('sub', { chan: ['a'], encoding: 'utf8' }).setEncoding('utf8')
export const id: number | null = socket('pub').bind('inproc://a')
// @ts-expect-error: there is no such type
nano.socket('publisher')
const type: SocketType = 'push'
const options: Options = { linger: 5, chan: undefined }
class Named extends nano.Socket {
  isSet: boolean = this.linger(5) && this.ipv6(true) && this.wsopt(String(this.wsopt()))
}
const named = new Named(type, options)
named.on('data', (message: Buffer) => nano._bindings.Errno() + message.length)
export const kind: [number, Domain, Protocol, number | undefined] = [
  named.sndbuf(),
  named.af_domain,
  named.protocol,
  named.bound['inproc://a'],
]
nano.Socket.prototype.transform = (message) => String(message)
export const base: Socket = nano.device(named, new nano.Socket('pull', { raw: 1 })).sock1
export const now: Buffer = nn_recv(0, NN_MSG, NN_DONTWAIT)
export const later: Promise<number> = nn_recv(0, Buffer.alloc(5), 5, 0)
export const asked: nn_pollfd = { fd: 0, events: 1 }
export const body: Promise<Buffer> = new Pair({ receiveTimeout: 5 }).receive({ timeout: 1 })
export const code = (error: NanomsgError): string => error.code
