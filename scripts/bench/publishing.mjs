/** Publishers and subscribers. A publisher sends a burst when an earlier one has reached all subscribers, so that no
 * peer has to drop a message: the figures are deliveries. */

/** Messages in a burst, and bursts under way: to many subscribers few, to a single one enough for its
 *  pace. */
const FAN_OUT = { burst: 100, underWay: 2 }
const TOPICS = { burst: 1000, underWay: 4 }

/** One of this many messages is subscribed to. */
const MATCHING = 10

/** What all bodies begin with is what is sent until every subscriber has heard it. */
const PROBE = Buffer.from('nanomsg')

/** Bursts that are allowed, and waiting for one. */
function gate(onAllowed) {
  let allowed = 0
  let wake
  onAllowed((more) => {
    allowed += more
    wake?.()
  })
  return {
    get isOpen() {
      return allowed > 0
    },
    async pass() {
      while (allowed === 0) {
        await new Promise((resolve) => {
          wake = resolve
        })
      }
      allowed--
    },
  }
}

/** @param bodies a burst */
async function publishBursts(send, bodies, onAllowed) {
  const open = gate(onAllowed)
  while (!open.isOpen) {
    await send(PROBE)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  while (true) {
    await open.pass()
    for (const body of bodies) await send(body)
  }
}

/** Tells the publisher that all subscribers have heard the probe, then of each burst that has been delivered. */
function deliveries(subscriberCount, perSubscriber, underWay, meter, allow) {
  let subscribed = 0
  let delivered = 0
  return () => {
    let isSubscribed = false
    return (message) => {
      if (message.length === PROBE.length) {
        if (isSubscribed) return
        isSubscribed = true
        if (++subscribed === subscriberCount) allow(underWay)
        return
      }
      meter.message(message)
      if (++delivered % (perSubscriber * subscriberCount) === 0) allow(1)
    }
  }
}

/** Every message for all subscribers. */
export async function publish(peer, address, body, listensAt, onAllowed) {
  await publishBursts(await peer.pub(address, listensAt), new Array(FAN_OUT.burst).fill(body), onAllowed)
}

export function subscribe(peer, address, count, meter, allow) {
  const newSubscriber = deliveries(count, FAN_OUT.burst, FAN_OUT.underWay, meter, allow)
  for (let i = 0; i < count; i++) void peer.sub(address, newSubscriber())
}

/** A subscription that no message matches. They begin as the bodies do, and only their ends tell them apart. */
const other = (number) => `nano/${number}/`

/** One message in ten is subscribed to; the others come close to a subscription in the midst of all. */
export async function publishTopics(peer, address, body, count, listensAt, onAllowed) {
  const near = Buffer.alloc(body.length, '-')
  near.write(other(Math.floor(count / 2)).slice(0, -1))
  const bodies = Array.from({ length: TOPICS.burst }, (_, i) => (i % MATCHING === 0 ? body : near))
  await publishBursts(await peer.pub(address, listensAt), bodies, onAllowed)
}

/** @param count how many subscriptions there are; the last is for the messages that come */
export function subscribeTopics(peer, address, count, meter, allow) {
  const topics = Array.from({ length: count - 1 }, (_, i) => other(i))
  const onMessage = deliveries(1, TOPICS.burst / MATCHING, TOPICS.underWay, meter, allow)()
  void peer.filter(address, [...topics, PROBE.toString()], onMessage)
}
