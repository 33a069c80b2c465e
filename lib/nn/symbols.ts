/** The constants at run time. */
import { native } from '../engine/native.js'
import { EINVAL } from './constants.js'
import { checkInt, failure } from './failing.js'

export interface nn_symbol_properties {
  value: number
  name: string
  /** NN_NS_… */
  ns: number
  /** NN_TYPE_… of an option's value */
  type: number
  /** NN_UNIT_… of an option's value */
  unit: number
}

const properties = new Int32Array(4)

/** The i-th constant with what it stands for; null when there are no more. */
export function nn_symbol_info(i: number): nn_symbol_properties | null {
  checkInt(i, 'i', 'nn_symbol_info')
  const name = native.symbol(i, properties)
  if (name === undefined) return null
  return { value: properties[0]!, name, ns: properties[1]!, type: properties[2]!, unit: properties[3]! }
}

/** The i-th constant; null, with EINVAL as nn_errno(), when there are no more. */
export function nn_symbol(i: number): { name: string; value: number } | null {
  checkInt(i, 'i', 'nn_symbol')
  const info = nn_symbol_info(i)
  if (info !== null) return { name: info.name, value: info.value }
  failure(EINVAL, 'nn_symbol')
  return null
}
