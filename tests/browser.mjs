// `node browser.mjs unpack` writes the path of the Chromium of node_modules, unpacked into TMPDIR.
// `node browser.mjs CHROMIUM` reads the views of browser.py on stdin, opens each file in that Chromium, and writes what a
// person would see of it, and what axe-core finds that some could not: one node process for all views of a test.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

// No sandbox: CI is root. Without the rest, a Chromium asks for updates as soon as it starts.
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// Runs in the page.
function seen() {
  const box = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return { left, top, right, bottom };
  };
  const isShown = (element) => getComputedStyle(element).display !== "none" && element.getClientRects().length > 0;
  const pixels = (text, svg) =>
    (parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width) / svg.viewBox.baseVal.width;
  const charts = [...document.querySelectorAll("figure")].map((figure) => ({
    name: figure.closest("section").getAttribute("aria-labelledby"),
    label: figure.getAttribute("aria-label"),
    shown: [...figure.querySelectorAll("svg")].filter(isShown).map((svg) => ({
      box: box(svg),
      texts: [...svg.querySelectorAll("text")].filter((text) => text.textContent && getComputedStyle(text).opacity !== "0").map((text) => ({
        text: text.textContent, pixels: pixels(text, svg), colour: getComputedStyle(text).fill, box: box(text),
      })),
      fills: [...new Set([...svg.querySelectorAll("path")].map((path) => getComputedStyle(path).fill))],
      strokes: [...new Set([...svg.querySelectorAll("path")].map((path) => getComputedStyle(path).stroke))],
    })),
  }));
  const texts = [...document.querySelectorAll("h1, h2, h3, p, li, th, td, dt, dd, caption, summary")].filter(isShown);
  return {
    title: document.title,
    text: document.body.innerText,
    scrollWidth: document.documentElement.scrollWidth,
    innerWidth,
    paper: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    charts,
    unfolded: [...document.querySelectorAll("details[open] > summary")].map((each) => each.innerText),
    smallest: Math.min(...texts.map((element) => parseFloat(getComputedStyle(element).fontSize))),
    outside: texts.filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5).map((each) => each.innerText),
  };
}

// What the page's policy says to a script, a picture and a style sheet from elsewhere. Runs in the page.
async function refused() {
  const told = [];
  addEventListener("securitypolicyviolation", (event) => told.push(event.effectiveDirective));
  for (const [name, attribute] of [["img", "src"], ["script", "src"], ["link", "href"]]) {
    const element = document.createElement(name);
    if (name === "link") element.rel = "stylesheet";
    element[attribute] = "http://127.0.0.1:9/";
    document.body.append(element);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  return told;
}

async function photograph(page, { picture, until, width }) {
  const bottom = until && (await page.evaluate((each) => document.querySelector(each).getBoundingClientRect().bottom, until));
  const whole = { fullPage: true, clip: { x: 0, y: 0, width, height: Math.ceil(bottom) + 24 } };
  await page.screenshot({ path: picture, ...(until ? whole : {}) });
}

async function audit(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((rules) => axe.run({ runOnly: rules }), RULES);
  return violations.map((each) => `${each.id}: ${each.help}: ${each.nodes.map((node) => node.html).join(" ")}`);
}

async function view(browser, asked) {
  const { width, height, scheme } = asked;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, offline: true });
  const page = await context.newPage();
  const requests = [], complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  const url = pathToFileURL(asked.file).href;
  await page.goto(url);
  if (asked.open_all) await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
  if (asked.follow) await page.click(asked.follow);
  if (asked.picture) await photograph(page, asked);
  const found = { ...(await page.evaluate(seen)), complaints: [...complaints], requests: requests.filter((each) => each !== url) };
  if (asked.audit) found.audit = await audit(page);
  found.refused = await page.evaluate(refused);
  await context.close();
  return found;
}

if (process.argv[2] === "unpack") {
  const { default: packed } = await import("@sparticuz/chromium");
  process.stdout.write(await packed.executablePath());
} else {
  const views = JSON.parse(readFileSync(0, "utf8"));
  const browser = await chromium.launch({ executablePath: process.argv[2], args: ARGUMENTS });
  try {
    const found = [];
    for (const each of views) found.push(await view(browser, each));
    process.stdout.write(JSON.stringify({ version: browser.version(), views: found }));
  } finally {
    await browser.close();
  }
}
