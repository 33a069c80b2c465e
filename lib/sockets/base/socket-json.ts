/** What a socket shows of itself. */
export interface SocketJson {
  name: string
  closed: boolean
  endpoints: { address: string; bound: boolean }[]
  /** How many are connected. */
  peers: number
}

/** Fields of our own classes and of EventEmitter. */
const isInternal = (field: string): boolean => /^(_|(handle|inbox|outbox|coding|domain)$)/.test(field)

/** Fields that a class of the program has added. */
export const ownFields = (socket: object): object =>
  Object.fromEntries(Object.entries(socket).filter(([field]) => !isInternal(field)))
