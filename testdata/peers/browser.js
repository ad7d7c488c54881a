// The checks of a client in a browser: page.html, loaded from the server that
// is checked, so that its own origin connects.
//
// node browser.js chromium|firefox PROGRAM URL RECORDED_URL

// launch starts a browser without a window and with a profile of its own.
const launch = {
  chromium: (executablePath) => require('playwright-core').chromium.launch({
    executablePath,
    headless: true,
    // The sandbox cannot be had as root. The rest keeps the browser from
    // connecting anywhere else.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  }),
  firefox: (executablePath) => require('puppeteer-core').launch({
    browser: 'firefox', // over WebDriver BiDi
    executablePath,
    headless: true,
  }),
};

// inPage performs the checks that the page has, of those that are recorded or
// of the others.
async function inPage(page, url, ofRecorded) {
  await page.goto(url);
  const names = await page.evaluate((ofRecorded) => {
    const { checks, recorded } = globalThis.peer;
    return Object.keys(checks).filter((check) => recorded.includes(check) === ofRecorded);
  }, ofRecorded);
  for (const name of names) {
    const result = await page.evaluate(
      (name) => globalThis.peer.run(name, location.origin.replace('http', 'ws')), name);
    console.log(JSON.stringify(result));
  }
}

// anotherOrigin has the page, which is on 127.0.0.1, connect to localhost. That
// is the same server and not the same origin.
async function anotherOrigin(page) {
  const result = await page.evaluate(() => {
    const { checks, run } = globalThis.peer;
    checks['another origin'] = ['/echo?origin', (c) => c.close(1000)];
    return run('another origin', `ws://localhost:${location.port}`);
  });
  console.log(JSON.stringify(result));
}

// subprotocols are offered to a server that speaks two of them.
async function subprotocols(page) {
  const result = await page.evaluate(() => {
    const { checks, run, echo } = globalThis.peer;
    checks.subprotocol = ['/chat', (c) => echo(c, 'chat'), ['other', 'chat.v1', 'chat.v2']];
    return run('subprotocol', location.origin.replace('http', 'ws'));
  });
  console.log(JSON.stringify(result));
}

// allowedOrigin has the page on localhost connect to 127.0.0.1, where a server
// allows it.
async function allowedOrigin(page, url) {
  await page.goto(url.replace('127.0.0.1', 'localhost'));
  const result = await page.evaluate(() => {
    const { checks, run, echo } = globalThis.peer;
    checks['allowed origin'] = ['/chat', (c) => echo(c, 'chat'), ['chat.v1']];
    return run('allowed origin', `ws://127.0.0.1:${location.port}`);
  });
  console.log(JSON.stringify(result));
}

async function main(name, program, url, recordedURL) {
  const browser = await launch[name](program);
  try {
    console.log(JSON.stringify({ version: `${name} ${await browser.version()}` }));
    const page = await browser.newPage();
    await inPage(page, url, false);
    await inPage(page, recordedURL, true);
    await anotherOrigin(page);
    await subprotocols(page);
    await allowedOrigin(page, url);
  } finally {
    await browser.close();
  }
}

main(...process.argv.slice(2));
