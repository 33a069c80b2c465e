import { freePort } from './programs.js'

/** Where two programs meet: an address to bind that is free, in a folder of this test if it is a path. */
export interface Transport {
  scheme: string
  /** For ours, which may leave the port to the system and tells it. */
  free(folder: string): string
  /** For the original, which has to be told. */
  fixed(folder: string): Promise<string>
}

export const transports: readonly Transport[] = [
  {
    scheme: 'tcp',
    free: () => 'tcp://127.0.0.1:0',
    fixed: async () => `tcp://127.0.0.1:${await freePort()}`,
  },
  {
    scheme: 'ipc',
    free: (folder) => `ipc://${folder}/socket`,
    fixed: async (folder) => `ipc://${folder}/socket`,
  },
]

/** Two nanocats that talk: what each is given, and the line that `listener` must print in the end. */
export interface Pattern {
  name: string
  listener: string[]
  speaker: string[]
  /** What the speaker prints, when it is answered. */
  reply?: string
}

/** A speaker that may not have been heard yet says it again. */
export const patterns: readonly Pattern[] = [
  { name: 'PULL hears PUSH', listener: ['--pull'], speaker: ['--push', '-D', 'work'] },
  { name: 'SUB hears PUB', listener: ['--sub', '--subscribe', 'wo'], speaker: ['--pub', '-D', 'work', '-i', '0.05'] },
  { name: 'REP answers REQ', listener: ['--rep', '-D', 'done'], speaker: ['--req', '-D', 'work'], reply: 'done' },
  {
    name: 'RESPONDENT answers SURVEYOR',
    listener: ['--respondent', '-D', 'done'],
    speaker: ['--surveyor', '-D', 'work', '-i', '0.3'],
    reply: 'done',
  },
  {
    name: 'PAIR answers PAIR',
    listener: ['--pair', '-D', 'done'],
    speaker: ['--pair', '-D', 'work'],
    reply: 'done',
  },
  { name: 'BUS hears BUS', listener: ['--bus'], speaker: ['--bus', '-D', 'work', '-i', '0.05'] },
]
