/** What console.log() and JSON.stringify() show of sockets, endpoints and devices. */
import { inspect } from 'node:util'
import { Device, Pull, Push, Rep } from 'nanomsg-native'
import { expect, test } from 'vitest'

test('a socket shows its class, name, endpoints and peers', async () => {
  await using pull = new Pull({ name: 'in' })
  await using push = new Push({ name: 'out' })
  const { address } = pull.bind('tcp://127.0.0.1:0')
  push.connect(address)
  await push.ready()
  expect(inspect(push)).toMatch(/^Push \{/)
  expect(JSON.parse(JSON.stringify(push))).toEqual({
    name: 'out',
    closed: false,
    endpoints: [{ address, bound: false }],
    peers: 1,
  })
  expect(inspect(pull, { breakLength: Number.POSITIVE_INFINITY })).toContain(
    `[ { address: '${address}', bound: true } ]`,
  )
  expect(inspect({ a: { b: { c: pull } } })).toContain('[Pull]')
})

test('a closed socket shows that it is, and has no endpoint that was closed', async () => {
  const pull = new Pull({ name: 'in' })
  pull.bind('tcp://127.0.0.1:0').close()
  await pull.close()
  expect(JSON.parse(JSON.stringify(pull))).toEqual({ name: 'in', closed: true, endpoints: [], peers: 0 })
})

test('a class of the program shows its own fields as well', async () => {
  class Worker extends Rep {
    jobs = 3
  }
  await using worker = new Worker()
  expect(inspect(worker)).toMatch(/^Worker \{[\s\S]*jobs: 3/)
  expect(inspect(worker)).not.toMatch(/handle|inbox|_events/)
})

test('an endpoint shows its address and whether it is bound', async () => {
  await using pull = new Pull()
  const endpoint = pull.bind('tcp://127.0.0.1:0')
  const { address } = endpoint
  expect(endpoint.bound).toBe(true)
  expect(inspect(endpoint)).toBe(`Endpoint { address: '${address}', bound: true }`)
  expect(JSON.stringify(endpoint)).toBe(JSON.stringify({ address, bound: true }))
})

test('a device shows its pattern and its sides', async () => {
  await using device = new Device('pipeline')
  const address = device.first.bind('tcp://127.0.0.1:0')
  expect(JSON.parse(JSON.stringify(device))).toEqual({
    pattern: 'pipeline',
    closed: false,
    first: { endpoints: [{ address, bound: true }], peers: 0 },
    second: { endpoints: [], peers: 0 },
  })
  expect(inspect(device)).toMatch(/^Device \{[\s\S]*first: DeviceSide \{/)
})

test('what only stands for one of them, or has no constructor, can be shown as well', async () => {
  await using pull = new Pull()
  await using device = new Device('pipeline')
  for (const object of [pull, pull.bind('inproc://shown'), device, device.first]) {
    const { name } = object.constructor
    expect(inspect(new Proxy(object, {}))).toBe(`${name} {}`)
    expect(inspect(Object.create(object))).toBe(`${name} {}`)
    expect(inspect(Object.assign(object, { constructor: undefined }))).toMatch(/^Object \{/)
  }
})
