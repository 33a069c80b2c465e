/** What errors say in words: where the system's own text tells of something that has not happened, and what to do. */
import { shortageHints } from './shortages.js'

/** What has happened, by the call and the code; for other pairs the system's text says it. */
export const texts: Readonly<Record<string, string>> = {
  'receive ETIMEDOUT': 'No message came in time',
  'send ETIMEDOUT': 'No peer took the message in time',
  'sendBatch ETIMEDOUT': 'No peer took all messages in time',
  'request ETIMEDOUT': 'No reply came in time',
  'receive ECONNRESET': 'The peers that had the request went away while they worked on it',
  'ready ETIMEDOUT': 'The peers were not connected in time',
  'bind ENODEV': 'No interface of this machine has that name or address',
  'connect ENODEV': 'No interface of this machine has that name or address',
  'bind EADDRINUSE of ipc': 'The path is in use',
  'registerTransport EEXIST': 'There is a transport of that name',
  'connect ENOTFOUND': 'No address is known for the name',
  'connect EAI_AGAIN': 'No name server answered for the name',
  ...Object.fromEntries(
    ['request', 'send', 'sendBatch', 'survey'].map((call) => [`${call} ENOTCONN`, 'No peer is connected']),
  ),
}

const withoutTls =
  'This build has no TLS: it uses the OpenSSL 3 of Node.js itself. With such a Node.js, run: npx --no nanomsg-native-build. Elsewhere use the classes of nanomsg-native, which take TLS from node:tls'
const missingFile = 'A text in the option tls that is not PEM names a file, which must exist'
/** What to do about a request whose peers go away. */
export const poison =
  'The request may be what ends them: see what they say of it before you send it again. The option attempts allows more'
const schemes =
  'Addresses begin with tcp://, tls+tcp://, ws://, wss://, ipc:// or inproc://, or as registerTransport() was told'
const interfaces =
  'A socket is bound to *, or to the address or the name of an interface, with an address of the family in use (see the option ipv6); names of other hosts are for connect()'
const addressLimit = 'Addresses have at most 127 bytes, and paths of ipc as many as the system allows'

/** What to do about it, where the code alone does not say; by the code, or by the call and the code. */
export const hints: Readonly<Record<string, string>> = {
  ...shortageHints,
  'receive ECONNRESET': poison,
  'bind EADDRINUSE': 'Another socket is bound there: close it, or choose port 0 and read the endpoint’s address',
  'bind EADDRINUSE of ipc': 'Another socket is bound there: close it, or choose another path',
  'bind EADDRNOTAVAIL': 'No interface of this machine has that address',
  'bind EACCES': 'Choose a port from 1024 on, or a folder that this process may write to',
  'bind EACCES of ipc': 'Choose a folder that this process may write to',
  'bind ENOENT of ipc': 'The folder of the path does not exist: create it, or choose another path',
  'bind ENOTDIR of ipc': 'A part of the path is a file and no folder: choose another path',
  'bind ENODEV': interfaces,
  'connect ENODEV':
    'What stands before the semicolon is the interface to connect from: give its name or its address, of the family in use (see the option ipv6)',
  'bind EPROTONOSUPPORT': schemes,
  'connect EPROTONOSUPPORT': schemes,
  'bind EPROTONOSUPPORT of TLS': withoutTls,
  'connect EPROTONOSUPPORT of TLS': withoutTls,
  'bind EINVAL': 'Write addresses as tcp://127.0.0.1:5555, tcp://*:0, ipc:///tmp/name or inproc://name',
  'connect EINVAL': 'Write addresses as tcp://host:5555, ipc:///tmp/name or inproc://name',
  'bind EINVAL of TLS':
    'Write addresses as tls+tcp://127.0.0.1:5555 or wss://127.0.0.1:5555/path. The option tls needs cert and its key, and with requireClientCertificate ca: PEM without a password, or names of files with it',
  'connect EINVAL of TLS':
    'Write addresses as tls+tcp://host:5555 or wss://host:5555/path. In the option tls, ca, cert and its key are PEM without a password, or names of files with it',
  'bind ENOENT of TLS': missingFile,
  'connect ENOENT of TLS': missingFile,
  'bind EACCES of TLS': 'Choose a port from 1024 on, and name files in the option tls that this process may read',
  'connect EACCES of TLS': 'Name files in the option tls that this process may read',
  'bind ENAMETOOLONG': addressLimit,
  'connect ENAMETOOLONG': addressLimit,
  'connect EACCES of ipc':
    'This process may not use that socket: see the permissions of the file and of its folders. The socket tries again',
  'connect EACCES': 'The system does not allow this connection: see the rules of its firewall. The socket tries again',
  'connect ECONNREFUSED': 'No process listens there now; the socket tries again',
  'connect ECONNREFUSED of ipc': 'No process listens there now, or the file is no socket; the socket tries again',
  'connect ENOENT': 'No process listens there now; the socket tries again',
  'connect ENOTSOCK of ipc': 'The file is no socket; the socket tries again',
  'connect ENOTFOUND': 'Check how the name is written, and that it has an address; the socket tries again',
  'connect EAI_AGAIN': 'Check the network and the name servers of this machine; the socket tries again',
  'connect EHOSTUNREACH': 'No route leads to that address now; the socket tries again',
  'connect ENETUNREACH': 'No route leads to that network now; the socket tries again',
  'connect ETIMEDOUT': 'Nothing answers at that address: see firewalls between; the socket tries again',
  'send EFSM': 'Receive a request before you reply to it',
  'receive EFSM': 'Send a request (or a survey) before you receive an answer to it',
  'socket ETERM': 'nn_term() was called: this process opens no sockets any more',
  'socket EAFNOSUPPORT': 'The domain is AF_SP or AF_SP_RAW',
  'socket EINVAL': 'The protocol is one of NN_PAIR, NN_BUS, NN_REQ, NN_REP, NN_PUB, NN_SUB, NN_PUSH, NN_PULL, …',
  'send ENOTSUP': 'Sockets of this type only receive',
  'receive ENOTSUP': 'Sockets of this type only send',
  'send EAGAIN': 'No peer can take a message now',
  'receive EAGAIN': 'There is no message now',
  'nn_send ETIMEDOUT': 'No peer could take the message in time',
  'nn_sendmsg ETIMEDOUT': 'No peer could take the message in time',
  'nn_recv ETIMEDOUT': 'No message came in time',
  'nn_recvmsg ETIMEDOUT': 'No message came in time',
  'reject EPROTOTYPE': 'The peer is a socket of a type that does not go with this one',
  'reject EPROTO': 'The peer does not speak this protocol',
  'reject EMLINK':
    'One connection too many: see maxConnections, maxConnectionsPerEndpoint, maxConnectionsPerAddress, maxHandshakes',
  'reject EACCES': 'One of the two does not accept the other’s certificate: see the option tls',
  'reject EPERM': 'This socket does not let the peer in: see the options admit and origins',
  'reject EBUSY': 'A Pair has one peer at a time',
  'reject ETIMEDOUT': 'The peer did not say what it is in time',
  'reject ECONNRESET':
    'The peer has left before it was admitted: perhaps the types do not go together, or it has a peer already, or it speaks another protocol, such as TLS',
  'disconnect ENOBUFS': 'The peer did not take what was for it, and onSlow disconnects such peers',
  'disconnect EMSGSIZE': 'The peer sent more than maxMessageSize allows',
  'disconnect ETIMEDOUT':
    'The peer took nothing of what it was sent, or sent too little of a message while others waited for memory (maxUnfinishedBytes)',
  'disconnect EPROTO': 'The peer does not keep to the protocol',
  'disconnect EILSEQ': 'The peer sent text over WebSocket that is not UTF-8',
  'disconnect ECONNRESET':
    'The peer has broken the connection off: its process has ended, or it was sent what it refuses, such as a message longer than its maxMessageSize',
  'registerTransport EEXIST': 'Choose another name; those of the engine and those registered before stay',
  'nn_poll ENOPROTOOPT': 'NN_POLLIN is for types that receive, NN_POLLOUT for those that send',
  'nn_device EINVAL': 'Both sockets are AF_SP_RAW, and of types that talk to each other, such as NN_REP and NN_REQ',
  'nn_shutdown EINVAL': 'The socket has no such endpoint: take what nn_bind() or nn_connect() has returned',
  'nn_setsockopt ENOPROTOOPT': 'Sockets of this type have no such option at this level, or it can only be read',
  'nn_getsockopt ENOPROTOOPT': 'Sockets of this type have no such option at this level, or it can only be set',
  'nn_setsockopt EINVAL': 'The value is out of the option’s range, or of the wrong size',
}
