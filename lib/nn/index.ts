/** The C API of nanomsg in JavaScript: its functions under their own names, on numbers and Buffers. */
export { NanomsgError } from '../engine/errors.js'
export * from './constants.js'
export {
  NN_CMSG_ALIGN_,
  NN_CMSG_DATA,
  NN_CMSG_FIRSTHDR,
  NN_CMSG_LEN,
  NN_CMSG_NXTHDR,
  NN_CMSG_SPACE,
  nn_cmsg_nxthdr_,
  type nn_cmsghdr,
} from './control-data.js'
export { nn_device } from './device.js'
export { nn_errno } from './failing.js'
export { type nn_iovec, type nn_msghdr, nn_recvmsg, nn_sendmsg } from './message-headers.js'
export { nn_allocmsg, nn_freemsg, nn_reallocmsg, nn_recv, nn_send } from './messages.js'
export { nn_getsockopt, nn_setsockopt } from './options.js'
export { nn_poll, type nn_pollfd } from './poll.js'
export {
  nn_bind,
  nn_close,
  nn_connect,
  nn_endpoint_address,
  nn_get_statistic,
  nn_shutdown,
  nn_socket,
  nn_strerror,
  nn_term,
} from './sockets.js'
export { nn_symbol, nn_symbol_info, type nn_symbol_properties } from './symbols.js'
