// What the declarations promise: compiled, never run. An error that is expected and does not come is an error.
import {
  type Answer,
  type Body,
  type Bus,
  type ConnectEvent,
  Device,
  type DeviceSide,
  type DisconnectEvent,
  type Endpoint,
  type Handler,
  type HandlerContext,
  type NanomsgError,
  type Pair,
  type Peer,
  type Pub,
  type Pull,
  Push,
  type Rep,
  Req,
  type ReqOptions,
  type RequestOptions,
  type Respondent,
  registerTransport,
  type ServeOptions,
  Socket,
  type SocketEvent,
  type SocketOptions,
  type Statistics,
  type Sub,
  type SurveyOptions,
  type Surveyor,
  type SurveyorOptions,
  type TlsOptions,
  type WaitOptions,
} from 'nanomsg-native'
import type { Options as CompatOptions } from 'nanomsg-native/compat'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function check<Fact extends true>(): Fact

/** What all classes have in common, and what only some have. */
type Sends = { send: unknown; trySend: unknown; writable: unknown }
type Receives = {
  receive: unknown
  tryReceive: unknown
  messages: unknown
  batches: unknown
  readable: unknown
  [Symbol.asyncIterator]: unknown
}
type HasAll<T, Members> = keyof Members extends keyof T ? true : false
type HasNone<T, Members> = keyof Members & keyof T extends never ? true : false

/** Whether each option can be given as undefined, also where optional properties are exact. */
type TakesUndefined<Options> = { [Name in keyof Options]-?: undefined } extends Options ? true : false

export const undefinedOptions = [
  check<TakesUndefined<SocketOptions>>(),
  check<TakesUndefined<ReqOptions>>(),
  check<TakesUndefined<SurveyorOptions>>(),
  check<TakesUndefined<TlsOptions>>(),
  check<TakesUndefined<WaitOptions>>(),
  check<TakesUndefined<NonNullable<Parameters<Push['close']>[0]>>>(),
  check<TakesUndefined<RequestOptions>>(),
  check<TakesUndefined<SurveyOptions>>(),
  check<TakesUndefined<ServeOptions>>(),
  check<TakesUndefined<CompatOptions>>(),
  // What is read is never undefined.
  check<Same<Push['linger' | 'maxTtl'], number>>(),
  check<Same<Push['ipv6'], boolean>>(),
]

export const directions = [
  check<HasAll<Push, Sends>>(),
  check<HasNone<Push, Receives>>(),
  check<HasAll<Pub, Sends>>(),
  check<HasNone<Pub, Receives>>(),
  check<HasAll<Pull, Receives>>(),
  check<HasNone<Pull, Sends>>(),
  check<HasAll<Sub, Receives>>(),
  check<HasNone<Sub, Sends>>(),
  ...[check<HasAll<Pair, Sends & Receives>>(), check<HasAll<Bus, Sends & Receives>>()],
  ...[check<HasAll<Req, Sends & Receives>>(), check<HasAll<Rep, Sends & Receives>>()],
  ...[check<HasAll<Surveyor, Sends & Receives>>(), check<HasAll<Respondent, Sends & Receives>>()],
]

/** Of each pattern's own functions, no other class has any. */
type Own = { request: unknown; serve: unknown; survey: unknown; subscribe: unknown; unsubscribe: unknown }
type OwnOf<T> = keyof Own & keyof T

export const patterns = [
  check<Same<OwnOf<Pair | Bus | Push | Pull | Pub>, never>>(),
  check<Same<OwnOf<Req>, 'request'>>(),
  check<Same<OwnOf<Rep>, 'serve'>>(),
  check<Same<OwnOf<Respondent>, 'serve'>>(),
  check<Same<OwnOf<Surveyor>, 'survey'>>(),
  check<Same<OwnOf<Sub>, 'subscribe' | 'unsubscribe'>>(),
  check<Same<keyof ReqOptions, keyof SocketOptions | 'resendInterval' | 'maxInFlight' | 'attempts' | 'codec'>>(),
  check<Same<keyof SurveyorOptions, keyof SocketOptions | 'deadline' | 'onSlow'>>(),
]

/** Every option is a property of the same name that can be read and set; nothing internal is declared. */
type Unset = 'tls' | 'requestHeaders' | 'admit'
type Properties = Required<Omit<SocketOptions, Unset>>
export const options = [
  check<Pick<Socket, keyof Properties> extends Properties ? true : false>(),
  check<Pick<Socket, Unset> extends Pick<SocketOptions, Unset> ? true : false>(),
  check<keyof SocketOptions extends keyof Socket ? true : false>(),
  check<Same<Req['resendInterval' | 'maxInFlight' | 'attempts'], number>>(),
  check<Same<Surveyor['deadline'], number>>(),
  check<Same<Extract<keyof Rep, 'handle' | 'inbox' | 'outbox' | 'configure'>, never>>(),
  check<Same<Statistics[keyof Statistics], number>>(),
]

export async function results(pair: Pair, req: Req, rep: Rep, surveyor: Surveyor, sub: Sub): Promise<unknown[]> {
  const endpoint: Endpoint = pair.bind('tcp://127.0.0.1:0')
  const iteration = pair[Symbol.asyncIterator]()
  const answers = surveyor.survey('?')
  const peers = surveyor.survey('?', { deadline: 10, peers: true })
  const serving = rep.serve(async (_body, peer) => peer.remoteAddress)
  return [
    check<Same<typeof endpoint.address, string>>(),
    check<Same<ReturnType<typeof endpoint.close>, void>>(),
    check<Same<ReturnType<typeof pair.send>, Promise<void>>>(),
    check<Same<ReturnType<typeof pair.trySend>, boolean>>(),
    check<Same<ReturnType<typeof pair.receive>, Promise<Buffer>>>(),
    check<Same<ReturnType<typeof pair.tryReceive>, Buffer | undefined>>(),
    check<Same<ReturnType<typeof pair.ready>, Promise<void>>>(),
    check<Same<ReturnType<typeof pair.close>, Promise<void>>>(),
    check<Same<typeof iteration, AsyncIterableIterator<Buffer>>>(),
    check<Same<ReturnType<typeof pair.batches>, AsyncIterableIterator<Buffer[]>>>(),
    check<Same<ReturnType<typeof pair.events>, AsyncIterableIterator<SocketEvent>>>(),
    check<Same<ReturnType<typeof req.request>, Promise<Buffer>>>(),
    check<Same<typeof answers, AsyncIterableIterator<Buffer>>>(),
    check<Same<typeof peers, AsyncIterableIterator<Answer>>>(),
    check<Same<Answer, { readonly body: Buffer; readonly peer: Peer }>>(),
    check<Same<typeof serving, Promise<void>>>(),
    check<Same<Parameters<Handler>, [body: Buffer, peer: Peer, context: HandlerContext]>>(),
    check<Same<ReturnType<typeof sub.subscribe>, Sub>>(),
    check<Body extends string | Uint8Array | readonly (string | Uint8Array)[] ? true : false>(),
    check<Pair extends AsyncDisposable ? true : false>(),
    check<Device extends AsyncDisposable ? true : false>(),
    check<Same<Device['first'], DeviceSide>>(),
  ]
}

export function listeners(socket: Socket): void {
  socket
    .on('connect', (event) => check<Same<typeof event, ConnectEvent>>())
    .once('disconnect', (event) => check<Same<typeof event, DisconnectEvent>>())
    .on('reject', ({ error }) => check<Same<typeof error, NanomsgError>>())
    .off('failure', ({ error: { code, errno, syscall } }) => [code.length, errno + 1, syscall.length])
  for (const event of [] as SocketEvent[]) {
    if (event.type === 'disconnect') check<Same<typeof event.reason, 'closed' | 'left' | 'failed' | 'slow'>>()
  }
}

export function refused(pair: Pair, push: Push, req: Req, rep: Rep): void {
  // @ts-expect-error: what all sockets are is no socket by itself
  new Socket('pair')
  // @ts-expect-error: an address is a string
  pair.bind(5555)
  // @ts-expect-error: a body is bytes or text
  void push.send(5)
  // @ts-expect-error: or parts of it, but not parts of parts
  void push.send([['a']])
  // @ts-expect-error: times are numbers of milliseconds
  void push.send('a', { timeout: '1s' })
  // @ts-expect-error: there is no such option
  new Push({ retries: 3 })
  // @ts-expect-error: an option of another class
  new Push({ resendInterval: 10 })
  // @ts-expect-error: of the wrong type
  new Req({ resendInterval: '10' })
  // @ts-expect-error: nor can it be set to such a value
  pair.linger = '10'
  // @ts-expect-error: an Endpoint's address is read only
  pair.bind('inproc://a').address = 'inproc://b'
  // @ts-expect-error: a request has a body
  void req.request()
  // @ts-expect-error: answers are bodies
  void rep.serve(() => 5)
  // @ts-expect-error: there is no event of this name
  pair.on('message', () => {})
  // @ts-expect-error: nor such a pattern
  new Device('push')
  // @ts-expect-error: a transport can connect
  registerTransport('mine', {})
}
