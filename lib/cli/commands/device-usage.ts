import type { Usage } from './usage.js'

export const usage: Usage = {
  name: 'device',
  text: `Usage:
    nanocat device [--reqrep|--survey|--pipeline|--pubsub|--pair|--bus] ADDR1 ADDR2

Forwards between two addresses, until it is interrupted. Questions, or messages, come in at the first one: REQ,
SURVEYOR, PUSH and PUB connect there, REP, RESPONDENT, PULL and SUB to the second one. Both are bound;
--connect ADDR in place of an address connects.

 --reqrep               Forward requests, and replies back (default)
 --survey               Forward surveys, and answers back
 --pipeline             Forward from PUSH to PULL
 --pubsub               Forward from PUB to SUB
 --pair, --bus          Forward both ways
 --bind ADDR            Same as ADDR
 --connect ADDR         Connect to ADDR
 --verbose,-v           Tell on standard error what is bound and connected, and of peers
 --stats                Show messages and megabytes per second, if standard error is a terminal
 --help,-h              This help text
`,
}
