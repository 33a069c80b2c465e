import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeWithOriginal, ours, temporaryFolder, theirs } from './programs.js'
import { patterns, transports } from './transports.js'

const sides = [
  { listenerIs: 'ours', listenTo: ours, speak: theirs },
  { listenerIs: 'the original', listenTo: theirs, speak: ours },
] as const

describeWithOriginal('with the nanocat of libnanomsg', () => {
  for (const { scheme, free, fixed } of transports) {
    for (const { listenerIs, listenTo, speak } of sides) {
      describe(`over ${scheme}, the listener is ${listenerIs}`, () => {
        // The original drops what it has not sent when it ends, and over ipc what it has not read when its peer ends:
        // the program that speaks first goes on until it is heard.
        const again = (speaker: string[]) =>
          !speaker.includes('--req') && !speaker.includes('-i') ? ['-i', '0.05'] : []

        test.each(patterns)('$name, which connects', async ({ listener, speaker, reply }) => {
          using folder = temporaryFolder()
          const address = listenTo === ours ? free(folder.path) : await fixed(folder.path)
          await using listening = listenTo(...listener, '-v', '-A', '--bind', address)
          const bound = listenTo === ours ? await listening.listening() : address
          await using speaking = speak(...speaker, ...again(speaker), '--connect', bound, ...(reply ? ['-A'] : []))
          await listening.until(({ stdout }) => stdout.includes('work\n'))
          if (reply) await speaking.until(({ stdout }) => stdout.includes(`${reply}\n`))
        })

        test.each(patterns)('$name, which is bound', async ({ listener, speaker, reply }) => {
          using folder = temporaryFolder()
          const address = speak === ours ? free(folder.path) : await fixed(folder.path)
          await using speaking = speak(...speaker, ...again(speaker), '-v', '--bind', address, ...(reply ? ['-A'] : []))
          const bound = speak === ours ? await speaking.listening() : address
          await using listening = listenTo(...listener, '-A', '--connect', bound)
          await listening.until(({ stdout }) => stdout.includes('work\n'))
          if (reply) await speaking.until(({ stdout }) => stdout.includes(`${reply}\n`))
        })
      })
    }
  }

  const contents = [
    ['all 256 bytes', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['an awkward message', Buffer.from('6122625c630a0d09007fc3a97e', 'hex')],
    ['one byte', Buffer.from('0')],
    ['70000 bytes', Buffer.alloc(70_000, 'abc')],
  ] as const

  describe.each(contents)('%s', (_, content) => {
    test.each(['no', 'raw', 'ascii', 'quoted', 'msgpack', 'hex'])(
      'printed as %s, is what the original prints',
      async (format) => {
        using folder = temporaryFolder()
        const file = join(folder.path, 'content')
        writeFileSync(file, content)
        await using rep = ours('--rep', '-v', '-F', file, '-L', '0')
        const args = ['--req', '-D', 'work', '--format', format, '--connect', await rep.listening()]
        await using original = theirs(...args)
        const expected = await original.ended
        await using here = ours(...args)
        const { exitCode, stdout } = await here.ended
        expect(exitCode).toBe(expected.exitCode)
        expect(stdout.equals(expected.stdout)).toBe(true)
      },
    )
  })
})
