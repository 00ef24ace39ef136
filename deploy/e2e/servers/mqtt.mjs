// An MQTT broker that sends every packet in several WebSocket messages, as it may (MQTT-6.0.0-2).
import {createServer} from 'node:http';
import aedes from 'aedes';
import {createWebSocketStream, WebSocketServer} from 'ws';
import {listen} from './announce.mjs';

const broker = aedes();
const http = createServer();
const webSockets = new WebSocketServer({server: http});
webSockets.on('connection', (socket, request) => {
  broker.handle(createWebSocketStream(socket), request);
});
await listen(http);
