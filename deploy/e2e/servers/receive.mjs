// receive.mjs LIBRARY ADDRESS FILE [answer|deaf|slow]: takes messages and writes each one down, as deploy/e2e/receiver
// does. The libraries are ws, websocket and faye-websocket.
import {openSync, writeSync} from 'node:fs';
import {createServer} from 'node:http';
import faye from 'faye-websocket';
import websocket from 'websocket';
import {WebSocketServer} from 'ws';

const [library, address, path, mode] = process.argv.slice(2);
const [host, port] = address.split(':');
const file = openSync(path, 'a');
writeSync(file, '\n'); // the process before may have been killed within a line
let connections = 0;

const pause = () => mode === 'slow' && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);

// The line is in the file before the answer leaves, and before the library goes on to the next frame.
function take(connection, binary, message, answer) {
  pause();
  const text = Buffer.from(message);
  writeSync(file, `${connection} ${binary ? 'binary' : 'text'} ${text.toString('base64')}\n`);
  if (mode !== 'answer') return;
  const got = JSON.parse(text);
  answer(JSON.stringify({id: Array.isArray(got) ? got.map(({id}) => id) : got.id}));
}

const connection = () => `${process.pid}-${++connections}`;
const closed = (code) => console.log(`closed ${code}`);

const serve = {
  ws(http) {
    new WebSocketServer({server: http, perMessageDeflate: true}).on('connection', (socket) => {
      const name = connection();
      if (mode === 'deaf') return socket.pause();
      socket.on('message', (data, binary) => take(name, binary, data, (text) => socket.send(text)));
      socket.on('close', closed);
      socket.on('error', (error) => console.log(`error ${error.message}`));
    });
  },
  websocket(http) {
    new websocket.server({httpServer: http, autoAcceptConnections: true}).on('connect', (socket) => {
      const name = connection();
      if (mode === 'deaf') return socket.socket.pause();
      socket.on('message', ({type, utf8Data, binaryData}) =>
        take(name, type === 'binary', utf8Data ?? binaryData, (text) => socket.sendUTF(text)));
      socket.on('close', closed);
    });
  },
  'faye-websocket'(http) {
    http.on('upgrade', (request, tcp, head) => {
      const name = connection();
      const socket = new faye(request, tcp, head);
      if (mode === 'deaf') return tcp.pause();
      socket.on('message', ({data}) => take(name, typeof data !== 'string', data, (text) => socket.send(text)));
      socket.on('close', ({code}) => closed(code));
    });
  },
};

const http = createServer();
serve[library](http);
http.listen(port, host, () => console.log(`listening on ${address}`));
