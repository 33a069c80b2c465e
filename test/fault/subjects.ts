import { Bus, Pair, Pub, Pull, Push, Rep, Req, Respondent, type Socket, Sub, Surveyor } from 'nanomsg-native'
import { turn, until } from '../api/support.js'
import { ids } from './raw-peer.js'

/** A bound socket of some protocol that a test attacks. */
interface Subject extends AsyncDisposable {
  readonly address: string
  /** A newcomer connects, and they converse as the protocol has it. */
  isWell(): Promise<void>
}

const newcomers = { reconnectInterval: 5, linger: 0 }

function subject<Victim extends Socket, Newcomer extends Socket>(
  name: string,
  peerId: number,
  makeVictim: () => Victim,
  makeNewcomer: () => Newcomer,
  converse: (victim: Victim, newcomer: Newcomer) => Promise<void>,
) {
  const open = (address: string): Subject => {
    const victim = makeVictim()
    const bound = victim.bind(address).address
    return {
      address: bound,
      async isWell() {
        await using newcomer = makeNewcomer()
        newcomer.connect(bound)
        await converse(victim, newcomer)
      },
      [Symbol.asyncDispose]: () => victim.close({ linger: 0 }),
    }
  }
  return { name, peerId, open }
}

let counter = 0

/** One hears the other at last, among whatever else there is to hear. */
async function isHeard(from: Push | Pub | Bus | Pair, to: Pull | Sub | Bus | Pair): Promise<void> {
  const mark = `well ${counter++}`
  let isFound = false
  await until(() => {
    from.trySend(mark)
    for (let message = to.tryReceive(); message !== undefined; message = to.tryReceive()) {
      if (String(message) === mark) isFound = true
    }
    return isFound
  })
}

async function echo(socket: Rep | Respondent, until: { isOver: boolean }): Promise<void> {
  while (!until.isOver) {
    const request = socket.tryReceive()
    if (request === undefined) await turn()
    else await socket.send(request)
  }
}

/** One asks and the other answers. A survey that came too early for the other is made again. */
async function isAnswered(asker: Req | Surveyor, answerer: Rep | Respondent): Promise<void> {
  const mark = `well ${counter++}`
  const end = { isOver: false }
  const echoed = echo(answerer, end)
  for (let answer = ''; answer !== mark; ) {
    await asker.send(mark)
    answer = await asker.receive({ timeout: 100 }).then(String, () => '')
  }
  end.isOver = true
  await echoed
}

const isHeardBy = (to: Pull | Sub | Bus | Pair, from: Push | Pub | Bus | Pair) => isHeard(from, to)
const answers = (answerer: Rep | Respondent, asker: Req | Surveyor) => isAnswered(asker, answerer)

/** All ten protocols, with the number of the protocol that their peers have. */
export const subjects = [
  subject(
    'Pull',
    ids.push,
    () => new Pull(),
    () => new Push(newcomers),
    isHeardBy,
  ),
  subject(
    'Sub',
    ids.pub,
    () => new Sub().subscribe('well'),
    () => new Pub(newcomers),
    isHeardBy,
  ),
  subject(
    'Bus',
    ids.bus,
    () => new Bus(),
    () => new Bus(newcomers),
    isHeardBy,
  ),
  subject(
    'Pair',
    ids.pair,
    () => new Pair(),
    () => new Pair(newcomers),
    isHeardBy,
  ),
  subject(
    'Push',
    ids.pull,
    () => new Push(),
    () => new Pull(newcomers),
    isHeard,
  ),
  subject(
    'Pub',
    ids.sub,
    () => new Pub(),
    () => new Sub(newcomers).subscribe('well'),
    isHeard,
  ),
  subject(
    'Rep',
    ids.req,
    () => new Rep(),
    () => new Req(newcomers),
    answers,
  ),
  subject(
    'Respondent',
    ids.surveyor,
    () => new Respondent(),
    () => new Surveyor(newcomers),
    answers,
  ),
  subject(
    'Req',
    ids.rep,
    () => new Req(),
    () => new Rep(newcomers),
    isAnswered,
  ),
  subject(
    'Surveyor',
    ids.respondent,
    () => new Surveyor(),
    () => new Respondent(newcomers),
    isAnswered,
  ),
]
