// Socket.IO with several processes, of which each session must reach its own: @socket.io/sticky sends clients on by the
// session that they name.
import cluster from 'node:cluster';
import {randomBytes} from 'node:crypto';
import {createServer} from 'node:http';
import {createAdapter, setupPrimary} from '@socket.io/cluster-adapter';
import {setupMaster, setupWorker} from '@socket.io/sticky';
import {Server} from 'socket.io';
import {listen, tellOfClose} from './announce.mjs';

if (cluster.isPrimary) {
  const http = createServer();
  setupMaster(http, {loadBalancingMethod: 'round-robin'});
  setupPrimary();
  cluster.setupPrimary({serialization: 'advanced'}); // the bytes of clients go from process to process
  cluster.on('message', (worker, {type, data}) => type === 'known?' && worker.send({type: 'known', data}));
  const ready = [1, 2, 3].map(() => new Promise((done) => cluster.fork().on('message', (message) => message === 'ready' && done())));
  await Promise.all(ready);
  await listen(http);
} else {
  const io = new Server(createServer());
  io.adapter(createAdapter());
  setupWorker(io);
  // By itself a process tells of a session while its answer is under way, and a quick client can be ahead of that. So the
  // answer waits until the primary knows. The library looks for ids of 20 characters.
  const asking = new Map();
  process.on('message', ({type, data}) => type === 'known' && asking.get(data)?.(data));
  io.engine.generateId = async () => {
    const id = randomBytes(15).toString('base64url');
    await new Promise((known) => {
      asking.set(id, known);
      process.send({type: 'sticky:connection', data: id});
      process.send({type: 'known?', data: id});
    });
    asking.delete(id);
    return id;
  };
  io.on('connection', (socket) => {
    socket.on('ping', (acknowledge) => acknowledge('pong'));
    const timer = setInterval(() => socket.emit('tick', Date.now()), 500);
    socket.on('disconnect', () => clearInterval(timer));
  });
  io.engine.on('connection', (session) => session.on('upgrade', (transport) => tellOfClose(transport.socket)));
  process.send('ready');
}
