// As much of an FTP server of earlier years as comes before and with TLS. usage: old-server.cjs PORT openssl CERTIFICATE KEY | PORT behind PORT
const { readFileSync } = require('node:fs');
const { connect, createServer } = require('node:net');
const { createSecureContext, TLSSocket } = require('node:tls');

const [port, kind, ...rest] = process.argv.slice(2);

/** What takes a connection over at its ClientHello. */
function takeOver() {
  if (kind === 'behind')
    return (socket) => {
      const behind = connect(Number(rest[0]), '127.0.0.1').on('error', () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    };
  const [cert, key] = rest.map((file) => readFileSync(file));
  const secureContext = createSecureContext({ cert, key, minVersion: 'TLSv1', ciphers: 'ALL:eNULL:aNULL:@SECLEVEL=0', dhparam: 'auto' });
  return (socket) => new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => {});
}

const secure = takeOver();
createServer((socket) => {
  socket.on('error', () => {}).write('220 old\r\n');
  socket.on('data', function answer(line) {
    if (!line.toString().startsWith('AUTH TLS')) return socket.write('530 AUTH TLS first\r\n');
    socket.off('data', answer);
    secure(socket);
    return socket.write('234 go on\r\n');
  });
}).listen(Number(port), '127.0.0.1');
