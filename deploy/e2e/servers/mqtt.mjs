// An MQTT broker that sends every packet in several WebSocket messages, as it may (MQTT-6.0.0-2). Something is published
// every 500 ms.
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
setInterval(() => broker.publish({topic: 'wsprobe', payload: 'tick'}), 500);
await listen(http);
