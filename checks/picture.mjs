// Looks at a picture as a reader's browser does: in an <img>, which sends no token, and as a document, whose own boxes are measured.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browser } from './browser.mjs';
import { SERVER, person } from './client.mjs';

const { LOGIN, BLUEPRINT, DAY, TOUCHPOINTS } = process.env;
const LINK = 'query($key: String!, $day: Date!) { blueprint(by: { key: $key }) { pictureLink(asOf: $day, theme: AUTO) { path expiresAt } } }';

/** Everything that is wrong with the document in the page, set in its own family or in another; `spoil` moves a label onto the one before it first. */
function faults(touchpoints, family, spoil) {
  const svg = document.documentElement;
  if (family) svg.style.setProperty('font-family', family, 'important');
  const { width, height } = svg.viewBox.baseVal;
  const found = [];
  const texts = [...svg.querySelectorAll('text')];
  if (spoil) {
    const [first, second] = svg.querySelectorAll('.card text');
    for (const at of ['x', 'y']) second.setAttribute(at, first.getAttribute(at));
  }
  const box = (element) => {
    const { x, y, width, height } = element.getBBox();
    return { left: x, top: y, right: x + width, bottom: y + height, what: element.textContent.trim() || element.getAttribute('class') };
  };
  const slack = 0.5;
  const meet = (a, b) => a.left + slack < b.right && b.left + slack < a.right && a.top + slack < b.bottom && b.top + slack < a.bottom;
  const inside = (a, b) => a.left >= b.left - slack && a.top >= b.top - slack && a.right <= b.right + slack && a.bottom <= b.bottom + slack;

  const labels = texts.map(box).sort((a, b) => a.left - b.left);
  labels.forEach((label, at) => {
    for (let next = at + 1; next < labels.length && labels[next].left < label.right; next++) {
      if (meet(label, labels[next])) found.push(`"${label.what}" and "${labels[next].what}" overlap`);
    }
  });

  const sheet = { left: 0, top: 0, right: width, bottom: height };
  for (const element of svg.querySelectorAll('text, rect, path')) {
    if (!inside(box(element), sheet)) found.push(`"${box(element).what}" lies outside the sheet`);
  }

  const cards = [...svg.querySelectorAll('.card')].filter((card) => card.querySelector('text'));
  if (cards.length !== touchpoints) found.push(`${cards.length} cards`);
  const faces = cards.map((card) => box(card.querySelector('.face')));
  cards.forEach((card, at) => {
    for (const text of card.querySelectorAll('text')) if (!inside(box(text), faces[at])) found.push(`"${text.textContent}" leaves its card`);
    faces.slice(at + 1).forEach((face) => meet(face, faces[at]) && found.push(`cards overlap`));
  });

  const obstacles = [...faces.map((face) => ({ ...face, what: 'a card' })), ...texts.filter((text) => !text.closest('.card')).map(box)];
  for (const way of svg.querySelectorAll('.edge .way')) {
    const length = way.getTotalLength();
    for (let at = 0; at < length; at += 4) {
      const { x, y } = way.getPointAtLength(at);
      const point = { left: x - slack, right: x + slack, top: y - slack, bottom: y + slack };
      const crossed = obstacles.find((obstacle) => meet(point, { ...obstacle, left: obstacle.left + 1, right: obstacle.right - 1, top: obstacle.top + 1, bottom: obstacle.bottom - 1 }));
      if (crossed) {
        found.push(`a line crosses ${crossed.what}: ${way.parentNode.querySelector('title')?.textContent}`);
        break;
      }
    }
  }
  return found;
}

/** The contrast of colours that stand on one another, by the rule of WCAG. */
function contrasts() {
  const style = getComputedStyle(document.documentElement);
  const luminance = (name) => {
    const hex = style.getPropertyValue(`--${name}`).trim().replace('#', '');
    const six = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex;
    const [r, g, b] = [0, 2, 4].map((at) => parseInt(six.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const pairs = [];
  for (const ground of ['paper', 'face', 'customer', 'frontstage', 'backstage', 'support']) for (const text of ['ink', 'quiet', 'warn']) pairs.push([text, ground, 4.5]);
  for (const text of ['before', 'goal', 'after']) pairs.push([text, 'paper', 4.5]);
  for (const bead of ['worst', 'bad', 'even', 'good', 'best']) pairs.push(['on-bead', bead, 4.5]);
  pairs.push(['on-ink', 'ink', 4.5], ['ink', 'faint', 4.5]);
  for (const ground of ['paper', 'customer', 'backstage', 'support']) for (const line of ['way', 'back', 'enables', 'line']) pairs.push([line, ground, 2.5]);
  for (const sign of ['met', 'risk', 'missed', 'truth']) pairs.push([sign, 'face', 3]);
  return pairs.map(([one, other, least]) => ({ pair: `${one} on ${other}`, ratio: contrast(one, other), least })).filter(({ ratio, least }) => !(ratio >= least));
}

let chromium;
let address;
before(async () => {
  chromium = await browser();
  const { ask } = await person(LOGIN);
  const { data, errors } = await ask(LINK, { key: BLUEPRINT, day: DAY });
  assert.equal(errors, undefined);
  address = SERVER + data.blueprint.pictureLink.path;
});
after(() => chromium?.close());

const seen = new Map();
for (const scheme of ['light', 'dark']) {
  test(`${BLUEPRINT} shows in an <img>, ${scheme}`, async () => {
    // Any page of that host will do: from a page without one, a browser may refuse to ask this machine.
    const page = await chromium.open(`${SERVER}/healthz`, { scheme });
    const [width, height] = await page.run(async (address) => {
      document.body.style.margin = 0;
      document.body.innerHTML = '<img>';
      const it = document.querySelector('img');
      it.src = address;
      await it.decode();
      return [it.naturalWidth, it.naturalHeight];
    }, address);
    assert.ok(width > 1000 && height > 500, `${width} × ${height}`);
    seen.set(scheme, (await page.picture({ x: 0, y: 0, width: 400, height: 200 })).toString('base64'));
    await page.close();
  });

  test(`no two labels of ${BLUEPRINT} overlap, none leaves its card, nothing hangs over the edge, ${scheme}`, async () => {
    const page = await chromium.open(address, { scheme });
    const found = await page.run(faults, Number(TOUCHPOINTS), null, false);
    assert.deepEqual(found.slice(0, 20), [], `${found.length} faults`);
    assert.deepEqual(await page.run(contrasts), []);
    await page.close();
  });
}

test('light and dark are two pictures', () => assert.notEqual(seen.get('light'), seen.get('dark')));

test('labels keep their places in a family that is much wider', async () => {
  const page = await chromium.open(address);
  const found = await page.run(faults, Number(TOUCHPOINTS), 'monospace', false);
  assert.deepEqual(found.slice(0, 20), [], `${found.length} faults`);
  await page.close();
});

test('the family is as wide as the server thinks', async () => {
  const page = await chromium.open(address);
  const strained = await page.run(() => {
    const far = [];
    for (const text of document.querySelectorAll('text[textLength]')) {
      const planned = Number(text.getAttribute('textLength'));
      text.removeAttribute('textLength');
      const own = text.getComputedTextLength();
      // Pairs such as Te stand closer than their letters are wide.
      if (own > planned * 1.01 + 1 || own < planned * 0.95 - 1) far.push(`"${text.textContent}": ${own}, not ${planned}`);
    }
    return far;
  });
  assert.deepEqual(strained.slice(0, 20), []);
  await page.close();
});

test('the measuring finds a label that was moved onto another', async () => {
  const page = await chromium.open(address);
  const found = await page.run(faults, Number(TOUCHPOINTS), null, true);
  assert.ok(found.some((fault) => fault.endsWith('overlap')), found.join('\n'));
  await page.close();
});
