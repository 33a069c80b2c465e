/** Requests on their way, by the numbers of their contexts. */
import { expect, test } from 'vitest'
import { RequestTable } from '../../lib/contexts/request-table.js'

test('each is found by its number until it is taken out', () => {
  const pending = new RequestTable<string>()
  const numbers = Array.from({ length: 1000 }, (_, i) => pending.add(`request ${i}`))
  expect(new Set(numbers).size).toBe(1000)
  for (const [i, number] of numbers.entries()) {
    expect(pending.get(number)).toBe(`request ${i}`)
    if (i % 2 === 0) pending.delete(number)
  }
  for (const [i, number] of numbers.entries()) {
    expect(pending.get(number)).toBe(i % 2 === 0 ? undefined : `request ${i}`)
  }
  expect(pending.entries().map(([, request]) => request)).toHaveLength(500)
})

test('one that is not answered is found after many others have come and gone', () => {
  const pending = new RequestTable<string>()
  const first = pending.add('first')
  for (let i = 0; i < 10_000; i++) {
    const number = pending.add('another')
    expect(pending.get(number)).toBe('another')
    pending.delete(number)
    pending.delete(number)
    expect(pending.get(number)).toBeUndefined()
  }
  expect(pending.get(first)).toBe('first')
  expect(pending.entries()).toEqual([[first, 'first']])
})
