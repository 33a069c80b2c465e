// Programs that tests run synchronously stop the event loop. Without a turn of the loop between the tests of a file,
// vitest does not see the answers of its main process, and reports an error when it has waited for one for a minute.
import { afterEach } from 'vitest'

afterEach(() => new Promise((resolve) => setImmediate(resolve)))
