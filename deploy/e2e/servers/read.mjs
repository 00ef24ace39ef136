// read.mjs URL FILE: reads the stream of an agent on the package ws, and writes each message down as receive.mjs does.
import {openSync, writeSync} from 'node:fs';
import WebSocket from 'ws';

const [url, path] = process.argv.slice(2);
const file = openSync(path, 'a');
writeSync(file, '\n');
const socket = new WebSocket(url);
socket.on('open', () => console.log('opened'));
socket.on('message', (data, binary) =>
  writeSync(file, `${process.pid} ${binary ? 'binary' : 'text'} ${data.toString('base64')}\n`));
socket.on('close', (code, reason) => console.log(`closed ${code} ${reason}`));
socket.on('error', (error) => console.log(`error ${error.message}`));
