/** Statistics as text in the format OpenMetrics. */
import { openMetrics, Pull, Push, Rep } from 'nanomsg-native'
import { expect, test } from 'vitest'
import { connectAll, failureOf } from './support.js'

/** A reader of the format that is as strict as it must be: metadata before samples, families in one piece, the end. */
function read(text: string): Map<string, { kind: string; samples: Map<string, number> }> {
  const families = new Map<string, { kind: string; samples: Map<string, number> }>()
  const lines = text.split('\n')
  expect(lines.splice(-2)).toEqual(['# EOF', ''])
  let current = ''
  for (const line of lines) {
    const [, word, family = '', rest = ''] = /^# (TYPE|UNIT|HELP) (\S+) (.+)$/.exec(line) ?? []
    if (word === 'TYPE') {
      expect(families.has(family)).toBe(false)
      families.set(family, { kind: rest, samples: new Map() })
      current = family
      continue
    }
    if (word !== undefined) {
      expect(family).toBe(current)
      continue
    }
    const sample = /^([a-z_:]+)\{(type="\w+",socket="(?:[^"\\\n]|\\[\\"n])*")\} (\d+)$/.exec(line)
    expect(line).toBe(sample?.[0])
    const { kind, samples } = families.get(current)!
    expect(sample![1]).toBe(kind === 'counter' ? `${current}_total` : current)
    expect(samples.has(sample![2]!)).toBe(false)
    samples.set(sample![2]!, Number(sample![3]))
  }
  return families
}

test('every statistic of every open socket is a sample, counters by the name of counters', async () => {
  await using push = new Push({ name: 'out' })
  await using pull = new Pull({ name: 'in "1"\\\n' })
  const closed = new Rep({ name: 'closed' })
  await closed.close()
  connectAll('tcp://127.0.0.1:0', pull, push)
  for (let i = 0; i < 3; i++) await push.send('12345')
  for (let i = 0; i < 3; i++) await pull.receive()
  const families = read(openMetrics([push, pull, closed]))
  expect(families.size).toBe(Object.keys(push.stats()).length)
  expect(families.get('nanomsg_bytes_sent')).toEqual({
    kind: 'counter',
    samples: new Map([
      ['type="Push",socket="out"', 15],
      ['type="Pull",socket="in \\"1\\"\\\\\\n"', 0],
    ]),
  })
  expect(families.get('nanomsg_current_connections')?.kind).toBe('gauge')
  expect([...families.get('nanomsg_messages_received')!.samples.values()]).toEqual([0, 3])
})

test('names may begin otherwise, and the text may have no end', async () => {
  await using push = new Push({ name: 'out' })
  expect(openMetrics([push], { prefix: 'app:queue', eof: false })).toMatch(
    /^# TYPE app:queue_\w+ counter\n[\s\S]*[^F]\n$/,
  )
  expect(read(openMetrics([])).size).toBeGreaterThan(10)
  expect((await failureOf(() => openMetrics([push], { prefix: 'no good' }))).message).toContain('prefix must be')
})

test('two sockets of one type and one name are refused', async () => {
  await using one = new Push({ name: 'same' })
  await using two = new Push({ name: 'same' })
  await using three = new Pull({ name: 'same' })
  expect((await failureOf(() => openMetrics([one, two]))).message).toContain('the names of sockets must be different')
  expect(openMetrics([one, three])).toContain('type="Pull",socket="same"')
})

test('what are no sockets, or no options, are told', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const wrong of [5, null, undefined, {}, [null], [{}], proxy, [proxy]] as never[]) {
    expect((await failureOf(() => openMetrics(wrong))).message).toMatch(/^EINVAL: (each of the )?sockets must be/)
  }
  for (const wrong of [5, null, proxy, { prefix: Symbol('prefix') }] as never[]) {
    expect((await failureOf(() => openMetrics([], wrong))).message).toMatch(/^EINVAL: (options|prefix) must be/)
  }
})
