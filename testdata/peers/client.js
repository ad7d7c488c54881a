// The checks of a client with the library ws: those of browsers, and those that
// take more than a browser has.
//
// node client.js URL RECORDED_URL

globalThis.WebSocket = require('ws');
const { version } = require('ws/package.json');
require('./checks.js');

const { checks, recorded, run, echo } = globalThis.peer;

checks['fragments from the peer'] = ['/echo?fragments', async (c) => {
  c.socket.send('frag', { fin: false });
  c.socket.send('men', { fin: false });
  c.socket.send('ted', { fin: true });
  await c.messages(1);
  await c.close(1000);
}];
checks['ping from the peer'] = ['/echo', async (c) => {
  c.socket.ping('from the peer');
  await c.has(() => c.pongs.length > 0);
  await c.close(1000);
}];
checks['pong from the peer'] = ['/echo?pong', async (c) => {
  c.socket.pong('heartbeat');
  await echo(c, 'still here');
}];

// watch notes the control frames that come.
function watch(connection) {
  connection.socket.on('ping', (payload) => connection.pings.push(payload.toString()));
  connection.socket.on('pong', (payload) => {
    connection.pongs.push(payload.toString());
    connection.arrived();
  });
}

async function main(url, recordedURL) {
  console.log(JSON.stringify({ version: `ws ${version}, Node.js ${process.version}` }));
  for (const check of Object.keys(checks)) {
    const base = recorded.includes(check) ? recordedURL : url;
    console.log(JSON.stringify(await run(check, base, watch)));
  }
}

main(...process.argv.slice(2));
