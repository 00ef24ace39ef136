// A server of Express whose sockets are for those who have logged in: by a form and a session cookie, or by a ticket that is
// good once. Every message comes back behind the name of the user.
import {randomBytes} from 'node:crypto';
import {createServer} from 'node:http';
import express from 'express';
import session from 'express-session';
import {WebSocketServer} from 'ws';
import {listen, tellOfClose} from './announce.mjs';

const app = express();
const http = createServer(app);
const sessions = session({secret: 'an example', resave: false, saveUninitialized: false, cookie: {sameSite: 'strict'}});
const tickets = new Set();
app.use(sessions, express.urlencoded({extended: false}), express.json());

app.post('/login', (request, response) => {
  if (request.body.user !== 'probe' || request.body.password !== 'sesame') {
    response.redirect(303, '/login?failed');
    return;
  }
  request.session.regenerate(() => {
    request.session.user = request.body.user;
    console.log('logged in');
    response.redirect(303, '/');
  });
});

app.post('/api/tickets', (request, response) => {
  if (request.get('X-Api-Key') !== 'sesame' || request.body.for !== 'socket') {
    response.status(401).json({error: 'who are you?'});
    return;
  }
  const ticket = randomBytes(24).toString('base64'); // which has + and /
  tickets.add(ticket);
  console.log('issued a ticket');
  response.status(201).json({data: {ticket, expires_in: 30}});
});

const webSockets = new WebSocketServer({noServer: true});
http.on('upgrade', (request, socket, head) => {
  sessions(request, {}, () => {
    const ticket = new URL(request.url, 'http://localhost').searchParams.get('ticket');
    const user = request.session.user ?? (tickets.delete(ticket) ? 'ticket' : undefined);
    if (!user) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      tellOfClose(webSocket);
      webSocket.on('message', (data) => {
        if (String(data) === 'leave') {
          webSocket.close(4000, 'you asked for it');
          return;
        }
        webSocket.send(`${user}: ${data}`);
      });
    });
  });
});
await listen(http);
