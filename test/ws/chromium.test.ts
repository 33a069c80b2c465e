/** Chromium in conversation with our sockets: a page that a server of Node.js gives it, and that reports what it
 *  sees. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type ConnectEvent, Pair, Pub, Rep } from 'nanomsg-native'
import { describe, expect, test } from 'vitest'
import { spawnCompanion } from '../support/companion.js'
import { describeTls, ofServer } from '../tls/certificates.js'

const folders = (process.env.PATH ?? '').split(delimiter)
const browser = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => folders.map((folder) => join(folder, name)))
  .find(existsSync)

const isRequired = process.env.NN_REQUIRE_PEERS === '1'

if (browser === undefined && !isRequired) {
  console.log('skipped: a page in Chromium; scripts/install-test-tools installs it')
}

/** The pages are of a server of their own, as with a development server beside. */
const origins = ['*']

/** What every page has. */
const tools = `
  const open = (address, protocol) => new Promise((resolve, reject) => {
    const ws = new WebSocket(address, protocol)
    ws.binaryType = 'arraybuffer'
    ws.received = []
    ws.onmessage = ({ data }) => { ws.received.push(data); ws.wake?.() }
    ws.onopen = () => resolve(ws)
    ws.onclose = () => reject(new Error('refused'))
  })
  const next = async (ws) => {
    while (ws.received.length === 0) await new Promise((resolve) => { ws.wake = resolve })
    return ws.received.shift()
  }
  const closed = (ws) => new Promise((resolve) => { ws.onclose = ({ code, wasClean }) => resolve({ code, wasClean }) })
  const bytes = (length) => new Uint8Array(length).map((_, i) => (i * 31) % 251)`

/** Runs the script in a page, and gives what it returns. */
async function inBrowser(script: string): Promise<unknown> {
  if (browser === undefined) throw new Error('Chromium is required here: scripts/install-test-tools installs it')
  const folder = mkdtempSync(join(tmpdir(), 'nn-browser-'))
  const server = createServer()
  const reported = new Promise<string>((resolve, reject) => {
    server.on('request', (request, response) => {
      if (request.method !== 'POST') {
        const report = 'fetch("/", { method: "POST", body: JSON.stringify(result) })'
        const page = `${tools}; (async () => { ${script} })().catch((error) => String(error)).then((result) => ${report})`
        response.setHeader('Content-Type', 'text/html; charset=utf-8').end(`<!doctype html><script>${page}</script>`)
        return
      }
      let body = ''
      request.setEncoding('utf8').on('data', (part) => {
        body += part
      })
      request.on('end', () => resolve(body))
      response.end()
    })
    server.on('error', reject)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const child = spawnCompanion(browser, [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--ignore-certificate-errors',
    `--user-data-dir=${folder}`,
    '--remote-debugging-port=0', // a page stays open
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
  ])
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`the browser has ended with ${code}`)))
  })
  ended.catch(() => {})
  try {
    return JSON.parse(await Promise.race([reported, ended]))
  } finally {
    const isStarted = child.pid !== undefined && child.exitCode === null && child.signalCode === null
    if (isStarted) process.kill(-child.pid!, 'SIGKILL')
    await ended.catch(() => {})
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 }) // the last to write there may be dying
  }
}

describe.skipIf(browser === undefined && !isRequired)('a page in Chromium', { timeout: 30_000 }, () => {
  test('talks to a Pair in text and in bytes of all lengths, and is told apart by its headers', async () => {
    await using pair = new Pair({ origins })
    const connected = new Promise<ConnectEvent>((resolve) => pair.once('connect', resolve))
    const { address } = pair.bind('ws://127.0.0.1:0/chat')
    const lengths = [0, 1, 125, 126, 65_535, 65_536, 1_000_000]
    const report = inBrowser(`
      const ws = await open(${JSON.stringify(address)}, 'pair.sp.nanomsg.org')
      ws.send('Grüße, 🌍')
      const text = new TextDecoder().decode(await next(ws))
      const same = []
      for (const length of ${JSON.stringify(lengths)}) {
        ws.send(bytes(length))
        const answer = new Uint8Array(await next(ws))
        same.push(answer.length === length && answer.every((byte, i) => byte === (i * 31) % 251))
      }
      const end = closed(ws)
      ws.close(3000, 'bye')
      return { protocol: ws.protocol, extensions: ws.extensions, text, same, end: await end }`)
    const { requestHeaders } = await connected
    expect(requestHeaders).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' })
    expect(requestHeaders!['user-agent']).toMatch(/Chrome/)
    expect(requestHeaders!.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const text = await pair.receive()
    expect(text.toString()).toBe('Grüße, 🌍')
    await pair.send(text)
    for (const length of lengths) {
      const body = await pair.receive()
      expect(body.length).toBe(length)
      await pair.send(body)
    }
    expect(await report).toEqual({
      protocol: 'pair.sp.nanomsg.org',
      extensions: '',
      text: 'Grüße, 🌍',
      same: lengths.map(() => true),
      end: { code: 3000, wasClean: true },
    })
  })

  test('of another server is refused by default', async () => {
    await using pair = new Pair()
    const { address } = pair.bind('ws://127.0.0.1:0/')
    const report = inBrowser(`
      return open(${JSON.stringify(address)}, 'pair.sp.nanomsg.org').then(() => 'open', ({ message }) => message)`)
    expect(await report).toBe('refused')
  })

  test('asks a Rep, reads a Pub, is refused by the wrong type, and is told when a socket closes', async () => {
    await using rep = new Rep({ origins })
    const pub = new Pub({ textFrames: true, origins })
    const subscriber = new Promise((resolve) => pub.once('connect', resolve))
    const question = rep.bind('ws://127.0.0.1:0/rep').address
    const news = pub.bind('ws://127.0.0.1:0/news').address
    void rep.serve((request) => `re: ${request}`)
    const report = inBrowser(`
      const ask = await open(${JSON.stringify(question)}, ['mqtt', 'rep.sp.nanomsg.org'])
      ask.send(new Uint8Array([0x80, 0, 0, 7, 65, 66]))
      const answer = [...new Uint8Array(await next(ask))]
      const refused = await open(${JSON.stringify(question)}, 'pub.sp.nanomsg.org').catch(({ message }) => message)
      const reader = await open(${JSON.stringify(news)}, 'pub.sp.nanomsg.org')
      const end = closed(reader)
      const first = await next(reader)
      return { answer, refused, first, end: await end }`)
    await subscriber
    await pub.send('news: it works')
    await pub.close()
    expect(await report).toEqual({
      answer: [0x80, 0, 0, 7, ...Buffer.from('re: AB')],
      refused: 'refused',
      first: 'news: it works',
      end: { code: 1000, wasClean: true },
    })
  })
})

describeTls('over TLS', () => {
  test.skipIf(browser === undefined && !isRequired)(
    'a page in Chromium talks to a Pair',
    { timeout: 30_000 },
    async () => {
      await using pair = new Pair({ tls: ofServer, textFrames: true, origins })
      const { address } = pair.bind('wss://127.0.0.1:0/chat')
      const report = inBrowser(`
      const ws = await open(${JSON.stringify(address)}, 'pair.sp.nanomsg.org')
      ws.send('secret')
      return await next(ws)`)
      await pair.send((await pair.receive()).toString().toUpperCase())
      expect(await report).toBe('SECRET')
    },
  )
})
