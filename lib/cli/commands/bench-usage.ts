import type { Usage } from './usage.js'

export const usage: Usage = {
  name: 'bench',
  text: `Usage:
    nanocat bench thr|lat [--size BYTES] [--count N] [--json] [--alone|--peer] [ADDR]

Measures how many messages a PUSH brings to a PULL (thr), or how long a message of a PAIR takes there and back
(lat). This process binds ADDR (tcp://127.0.0.1:0 if none is given) and starts the other side as a process of its own;
over inproc both are in this one.

 --size BYTES           Bytes of each message (default: 64)
 --count N              Messages, or round trips (default: 1000000, or 20000)
 --json                 Print the result as a JSON object
 --alone                Start no other side, and wait for one
 --peer                 Be the other side: connect to ADDR. Give the same size and count
 --help,-h              This help text

Between two machines: nanocat bench thr --alone tcp://*:5555, and nanocat bench thr --peer tcp://host:5555.
`,
}
