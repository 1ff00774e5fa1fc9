/** ABOR as RFC 959 wants it sent: Telnet IP, then the Synch with its mark as TCP urgent data. Python can send that; Node.js can't. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../support/served';
import { PASSWORD, type Watched, watched } from './watched';

let server: Watched;
beforeAll(async () => {
  server = await watched();
});
afterAll(() => server.stop());

/** Logs in, begins a download that it does not read, sends the bytes, and prints the codes of all replies until NOOP is answered. */
const client = String.raw`
import socket, ssl, sys
port, ca, password, how = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
raw = socket.create_connection(('127.0.0.1', port)); raw.settimeout(20)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
control = context.wrap_bio(incoming, outgoing, server_hostname='localhost')
def pump(step):
    while True:
        try:
            result = step(); raw.sendall(outgoing.read()); return result
        except ssl.SSLWantReadError:
            raw.sendall(outgoing.read()); got = raw.recv(65536)
            if not got: sys.exit('closed')
            incoming.write(got)
pump(control.do_handshake)
text = b''
def reply():
    global text
    while b'\r\n' not in text: text += pump(lambda: control.read(65536))
    line, text = text.split(b'\r\n', 1); return line.decode()
def send(data): pump(lambda: control.write(data))
def command(line): send(line.encode() + b'\r\n'); return reply()
reply(); command('USER demo'); command('PASS ' + password)
data_port = int(command('EPSV').split('|')[3])
send(b'RETR large.bin\r\n')
plain = socket.create_connection(('127.0.0.1', data_port))
data = context.wrap_socket(plain, server_hostname='localhost', session=control.session)
codes = [reply()[:3]]
if how == 'under-tls':           # the mark goes as urgent data beneath TLS, and leaves no trace in the stream
    send(b'\xff\xf4'); raw.send(b'\xf2', socket.MSG_OOB); send(b'\xff\xf2ABOR\r\n')
elif how == 'in-stream':         # what clients do that speak Telnet inside TLS
    send(b'\xff\xf4\xff\xf2ABOR\r\n')
elif how == 'mark-only':
    raw.send(b'\xff', socket.MSG_OOB); send(b'\xf2ABOR\r\n')
codes += [reply()[:3], reply()[:3], command('NOOP')[:3]]
print(' '.join(codes))
`;

it.each(['under-tls', 'in-stream', 'mark-only'])('ABOR with Telnet IP and Synch (%s): 426, 226, and the session goes on', async (how) => {
  writeFileSync(join(server.files, 'large.bin'), Buffer.alloc(50_000_000));
  const script = join(server.folder, 'abor.py');
  writeFileSync(script, client);
  const { output } = await run('python3', [script, String(server.ports.implicit), join(server.folder, 'ca.pem'), PASSWORD, how]);
  expect(output.trim()).toBe('150 426 226 200');
});
