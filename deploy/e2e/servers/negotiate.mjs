// Microsoft's client, which negotiates first, calls Echo of the hub at the address that the argument names.
import {HttpTransportType, HubConnectionBuilder, LogLevel} from '@microsoft/signalr';

const hub = new HubConnectionBuilder().withUrl(`http://${process.argv[2]}/hubs/chat`, {transport: HttpTransportType.WebSockets})
  .configureLogging(LogLevel.Warning).build();
await hub.start();
console.log(`echo ${await hub.invoke('Echo', 'hello')}`);
await hub.stop();
