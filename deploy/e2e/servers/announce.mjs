// What the tests read of a server's output: where it listens, and how its clients said goodbye.
import {once} from 'node:events';

export async function listen(http, port = Number(process.argv[2] ?? 0)) {
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  console.log(`listening on 127.0.0.1:${http.address().port}`);
}

export function tellOfClose(webSocket) {
  webSocket.on('close', (code) => console.log(`closed ${code}`));
}
