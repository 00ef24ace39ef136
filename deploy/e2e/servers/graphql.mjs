// A GraphQL server with one query and two subscriptions, which speaks graphql-transport-ws.
import {createServer} from 'node:http';
import {setTimeout} from 'node:timers/promises';
import {buildSchema} from 'graphql';
import {useServer} from 'graphql-ws/lib/use/ws';
import {WebSocketServer} from 'ws';
import {listen, tellOfClose} from './announce.mjs';

const schema = buildSchema(`
  type Query { greeting: String }
  type Subscription { countdown(from: Int!): Int, ticks: Int }
`);

const roots = {
  query: {greeting: () => 'hello'},
  subscription: {
    async *countdown({from}) {
      for (let n = from; n >= 0; n--) yield {countdown: n};
    },
    async *ticks() {
      for (let ticks = 1; ; ticks++) {
        yield {ticks};
        await setTimeout(500);
      }
    },
  },
};

const http = createServer();
const webSockets = new WebSocketServer({server: http, path: '/graphql'});
useServer({schema, roots}, webSockets);
webSockets.on('connection', tellOfClose);
await listen(http);
