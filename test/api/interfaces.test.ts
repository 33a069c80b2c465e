/** Interfaces in addresses, in a network of the program's own: `unshare` makes it, and `ip` (iproute2) its
 *  interfaces. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeWith } from '../perf/tools.js'

const network = [
  'ip link set lo up',
  'ip link add va type veth peer name vb',
  'ip link set va addrgenmode none up',
  'ip link set vb addrgenmode none up',
  'ip addr add fe80::1/64 dev va nodad',
  'ip addr add fd77::1/64 dev va nodad',
  'ip addr add fd77::2/64 dev vb nodad',
  'ip addr add 10.77.0.2/24 dev vb',
].join(' && ')

const inNetwork = ['-rn', 'sh', '-ec', `${network}; exec "$@"`, 'sh']

const built = join(__dirname, '..', '..', 'dist', 'index.js')

/** What the program writes, which has the classes, and `talk()`: a request and its answer between two addresses. */
async function run(text: string): Promise<string> {
  const program = `
    const { Rep, Req } = require(${JSON.stringify(built)})
    async function talk(bound, connected = (address) => address) {
      const rep = new Rep(), req = new Req({ receiveTimeout: 10_000, linger: 0 })
      const events = req.events()
      const { address } = rep.bind(bound)
      req.connect(connected(address))
      let peer
      void rep.serve((body, from) => { peer = from; return body })
      await req.request('?')
      const { value: event } = await events.next()
      // Both know the end that listens, and others can connect to it as it is told.
      for (const told of [address, peer.localAddress, event.remoteAddress]) {
        const other = new Req({ receiveTimeout: 10_000 })
        other.connect(told)
        await other.request('?')
        await other.close()
      }
      console.log(address.replace(/:\\d+(?=\\/|$)/, ''), event.localAddress.replace(/:\\d+$/, ''))
      await Promise.all([rep.close(), req.close()])
    }
    ;(async () => { ${text} })().then(() => process.exit(), (error) => { console.log(error); process.exit(1) })`
  const { stdout } = await promisify(execFile)('unshare', [...inNetwork, process.execPath, '-e', program], {
    timeout: 60_000,
  })
  return stdout
}

describeWith('unshare', [...inNetwork, 'true'], 'in a network of its own', () => {
  test('an interface gives its address of the family that the other end has', async () => {
    const stdout = await run(`
      await talk('tcp://[fd77::1]:0', (address) => address.replace('//', '//vb;'))
      await talk('tcp://vb:0', (address) => address.replace('//', '//vb;'))
      await talk('ws://va:0/path', (address) => address.replace('//', '//vb;'))`)
    expect(stdout.split('\n')).toEqual([
      'tcp://[fd77::1] tcp://[fd77::2]',
      'tcp://[fd77::2] tcp://[fd77::2]',
      'ws://[fd77::1]/path ws://[fd77::2]',
      '',
    ])
  })

  test('addresses that are told can be connected to, those of one link with their interface', async () => {
    const stdout = await run(`
      await talk('tcp://[fe80::1%va]:0')
      await talk('ws://[fe80::1%va]:0/a/path')
      await talk('tcp://[fe80::1%va]:0', (address) => address.replace('//', '//va;').replace('%va', ''))`)
    expect(stdout.split('\n')).toEqual([
      'tcp://[fe80::1%va] tcp://[fe80::1%va]',
      'ws://[fe80::1%va]/a/path ws://[fe80::1%va]',
      'tcp://[fe80::1%va] tcp://[fe80::1%va]',
      '',
    ])
  })

  test('an interface without an address of that family is refused at once', async () => {
    expect(
      await run(`
        for (const address of ['va;10.77.0.2:1', '10.77.0.2;[fd77::1]:1', 'nosuch;[fd77::1]:1', '[fe80::1]:1']) {
          try { new Req().connect('tcp://' + address) } catch ({ code, syscall }) { console.log(code, syscall) }
        }`),
    ).toBe('ENODEV connect\nENODEV connect\nENODEV connect\nEINVAL connect\n')
  })
})
