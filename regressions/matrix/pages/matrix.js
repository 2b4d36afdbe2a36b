"use strict";
// The address says what is shown: #topic=powers&verdict=right is a choice of cases, #jax-347-some_name is one of them.

const data = JSON.parse(document.getElementById("data").textContent);
const KINDS = ["right", "reported", "wrong", "error", "none"]; // the classes of the verdicts, in their order
const MARKS = ["✓", "B", "W", "E", "–"];
const ASKED = data.verdicts.slice(0, 4), CANNOT = data.verdicts[4];
const CHUNK = 80;

const byId = new Map(data.cases.map((entry) => [entry.id, entry]));
const words = new Map(data.cases.map((entry) => [entry, [
  entry.id, entry.title, entry.cause, entry.topic, entry.symptom, entry.month, entry.program, entry.oracle,
  ...Object.keys(entry.threads), ...Object.values(entry.threads),
].join("\n").toLowerCase()]));

const $ = (id) => document.getElementById(id);
const form = $("filters"), rows = $("cases").tBodies[0];
let chosen = [], shown = 0, lastChoice = "", lastCase = "", lastScroll = 0;

/** An element; what is undefined or empty among its children is left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
}

const nameOf = (column) => [column.engine, column.version].filter(Boolean).join(" ");
const kindOf = (verdict) => KINDS[data.verdicts.indexOf(verdict)];
const markOf = (verdict) => MARKS[data.verdicts.indexOf(verdict)];
const choiceAddress = (choice) => "#" + new URLSearchParams(choice);

// -- which cases ------------------------------------------------------------------------------------------------------

/** The columns that an engine's name, or one release of it, stands for; without one all of them. */
function columnsOf(engine) {
  return data.columns.flatMap((column, i) => (!engine || [column.engine, column.asked].includes(engine) ? [i] : []));
}

function differs(entry) {
  return new Set(entry.answers.map((answer) => answer.verdict).filter((verdict) => verdict !== CANNOT)).size > 1;
}

function changed(entry, kind, engine) {
  const among = columnsOf(engine).map((i) => nameOf(data.columns[i]));
  return entry.changes.some((change) => change.kind === kind && among.includes(`${change.engine} ${change.release}`));
}

function matches(entry, { text, topic, tracker, symptom, engine, verdict, change }) {
  const verdicts = () => columnsOf(engine).map((i) => entry.answers[i].verdict);
  return (!topic || entry.topic === topic)
    && (!tracker || entry.trackers.includes(tracker))
    && (!symptom || entry.symptom === symptom)
    && (!engine && !verdict || verdicts().some((found) => (verdict ? found === verdict : ASKED.includes(found))))
    && (!change || (change === "differ" ? differs(entry) : changed(entry, change, engine)))
    && (text || "").toLowerCase().split(/\s+/).every((word) => words.get(entry).includes(word));
}

// -- the list ---------------------------------------------------------------------------------------------------------

function drawTotals() {
  const threads = new Set(data.cases.flatMap((entry) => Object.values(entry.threads)));
  const trackers = new Set(data.cases.flatMap((entry) => entry.trackers));
  $("about").textContent = `${data.cases.length} cases from ${threads.size} threads of ${trackers.size} trackers in `
    + `${Object.keys(data.topics).length} topics.`;
  const heads = data.verdicts.map((verdict) => make("th", { class: "number", scope: "col" }, markLabel(verdict)));
  $("totals").append(make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "engine"), ...heads, make("th"))));
  $("totals").append(make("tbody", {}, ...data.columns.map(totalsRow)));
}

function markLabel(verdict) {
  return make("span", {}, make("span", { class: `mark ${kindOf(verdict)}` }, markOf(verdict)), ` ${verdict}`);
}

function totalsRow(column) {
  const name = make("th", { scope: "row" }, make("a", { href: choiceAddress({ engine: column.asked }) }, nameOf(column)));
  if (column.problem) {
    return make("tr", {}, name, make("td", { colspan: 6, class: "faint" }, `cannot be asked: ${column.problem}`));
  }
  const counts = data.verdicts.map((verdict) => {
    const address = choiceAddress({ engine: column.asked, verdict });
    const count = column.counts[verdict];
    return make("td", { class: "number" }, count ? make("a", { href: address }, String(count)) : "0");
  });
  const bar = make("div", { "aria-hidden": "true" }, ...data.verdicts.map((verdict) =>
    make("span", { class: kindOf(verdict), style: `flex: ${column.counts[verdict]}`, title: verdict })));
  return make("tr", {}, name, ...counts, make("td", { class: "bar" }, bar));
}

function drawHead() {
  const engines = [];
  for (const column of data.columns) {
    if (engines.at(-1)?.[0] === column.engine) engines.at(-1)[1] += 1;
    else engines.push([column.engine, 1]);
  }
  $("cases").tHead.append(
    make("tr", {}, make("th", { rowspan: 2, scope: "col" }, "case"),
      ...engines.map(([engine, span]) => make("th", { class: "engine", scope: "colgroup", colspan: span }, engine))),
    make("tr", {}, ...data.columns.map((column) => make("th", { class: "release", scope: "col" }, column.version))),
  );
}

function caseRow(entry) {
  const cells = entry.answers.map((answer, i) => {
    const first = data.columns[i - 1]?.engine === data.columns[i].engine ? "" : "first";
    const label = `${nameOf(data.columns[i])}: ${answer.verdict}`;
    const mark = make("span", { class: `mark ${kindOf(answer.verdict)}`, title: label, "aria-label": label, role: "img" },
      markOf(answer.verdict));
    return make("td", { class: `cell ${first}` }, mark);
  });
  return make("tr", { "data-case": entry.id }, make("td", {},
    make("a", { class: "title", href: `#${entry.id}` }, entry.title),
    make("span", { class: "id" }, `${entry.id} · ${entry.symptom} · ${entry.month}`),
    ...entry.changes.map(changeLabel)), ...cells);
}

function changeLabel(change) {
  const before = change.kind === "fixed in" ? "still in" : "not in";
  return make("span", { class: `changed ${change.kind.split(" ")[0]}` },
    `${change.kind} ${change.engine} ${change.release}, ${before} ${change.before}`);
}

/** Rows are made as they come into sight. */
function drawMore(upTo = shown + CHUNK) {
  rows.append(...chosen.slice(shown, upTo).map(caseRow));
  shown = Math.min(upTo, chosen.length);
  $("more").hidden = shown === chosen.length;
  $("more").textContent = `${chosen.length - shown} more`;
}

function showList(address) {
  const choice = Object.fromEntries(new URLSearchParams(address));
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field !== document.activeElement || field.tagName === "SELECT") field.value = choice[field.name] || "";
    field.classList.toggle("chosen", Boolean(choice[field.name]));
  }
  const again = lastChoice === address && shown > 0;
  lastChoice = address;
  $("case").hidden = true;
  $("list").hidden = false;
  document.title = "Reported bugs by engine and release";
  if (!again) {
    chosen = data.cases.filter((entry) => matches(entry, choice));
    $("found").textContent = `${chosen.length} of ${data.cases.length} cases`;
    rows.replaceChildren();
    shown = 0;
    drawMore();
  }
  if (lastCase) {
    const index = chosen.findIndex((entry) => entry.id === lastCase);
    if (index >= shown) drawMore(index + 1);
    window.scrollTo(0, lastScroll);
    rows.querySelector(`[data-case="${CSS.escape(lastCase)}"] a`)?.focus({ preventScroll: lastScroll > 0 });
    lastCase = "";
  }
}

// -- one case ---------------------------------------------------------------------------------------------------------

function showCase(entry) {
  if (!$("list").hidden) lastScroll = window.scrollY;
  if (!chosen.includes(entry)) chosen = data.cases;
  lastCase = entry.id;
  const title = make("h1", { tabindex: -1 }, entry.title);
  $("case").replaceChildren(
    neighbours(entry), title, make("p", { class: "faint" }, make("code", {}, entry.id)),
    facts(entry),
    make("h2", {}, "Program"), make("pre", { class: "box", id: "program" }, ...coloured(entry.program)),
    make("h2", {}, "Answers"), pair(entry),
    make("h2", {}, "Engines"), ...entry.changes.map(changeLabel), make("div", { class: "scroll" }, answers(entry)),
    make("h2", {}, "Ask again"), make("pre", { class: "box" }, commands(entry)),
  );
  $("list").hidden = true;
  $("case").hidden = false;
  document.title = entry.id;
  window.scrollTo(0, 0);
  title.focus();
}

function neighbours(entry) {
  const place = chosen.indexOf(entry);
  const link = (other, text, rel) => (other ? make("a", { href: `#${other.id}`, rel }, text) : make("span"));
  return make("nav", {}, link(chosen[place - 1], "← previous", "prev"),
    make("span", {}, make("a", { href: `#${lastChoice}`, rel: "up" }, "list"), ` ${place + 1} of ${chosen.length}`),
    link(chosen[place + 1], "next →", "next"));
}

function facts(entry) {
  const choose = (name, word) => make("a", { href: choiceAddress({ [name]: word }) }, word);
  const threads = Object.entries(entry.threads).flatMap(([, url], i) =>
    [i ? make("br") : "", make("a", { href: url, rel: "noreferrer" }, url)]);
  const lines = {
    reported: [entry.month],
    thread: threads,
    topic: [choose("topic", entry.topic), make("span", { class: "faint" }, ` ${data.topics[entry.topic].split("\n")[0]}`)],
    symptom: [choose("symptom", entry.symptom), make("span", { class: "faint" }, ` ${data.symptoms[entry.symptom]}`)],
    cause: [entry.cause],
    needs: [entry.needs.join(", ") || "nothing special"],
  };
  return make("dl", {}, ...Object.entries(lines).flatMap(([name, line]) =>
    [make("dt", {}, name), make("dd", {}, ...line)]));
}

function pair(entry) {
  const more = entry.admissible.flatMap((answer) => [make("p", { class: "faint" }, "admissible too, at a kink:"),
    make("pre", {}, answer)]);
  return make("div", { class: "pair" },
    make("section", { class: "box right" }, make("h2", {}, "right"), make("pre", {}, entry.right),
      make("p", { class: "faint" }, entry.oracle), ...more),
    make("section", { class: "box reported" }, make("h2", {}, "reported"), make("pre", {}, entry.reported)));
}

function answers(entry) {
  const heads = ["engine", "verdict", "answer", "first difference"];
  return make("table", { id: "answers" },
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...entry.answers.map((answer, i) => make("tr", {},
      make("th", { scope: "row" }, nameOf(data.columns[i])),
      make("td", { class: "verdict" }, markLabel(answer.verdict)),
      make("td", {}, make("pre", {}, answer.got)), make("td", {}, make("pre", {}, answer.difference))))));
}

/** What to type: for the case itself, and for an engine that fails it where there is one. */
function commands(entry) {
  const failing = data.columns.find((column, i) =>
    column.asked !== "reference" && ASKED.slice(1).includes(entry.answers[i].verdict));
  const lines = [`show ${entry.id}`, `run ${entry.id}`];
  if (failing) lines.push(`run ${entry.id} --engine ${failing.asked}`);
  return lines.map((line) => `python -m regressions ${line}`).join("\n");
}

const TOKENS = new RegExp([
  /(?<remark>#.*)/, /(?<literal>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\b\d[\w.]*)/,
  /(?<keyword>\b(?:and|as|assert|break|class|continue|def|del|elif|else|except|False|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|try|while|with|yield)\b)/,
].map((part) => part.source).join("|"), "g");

function coloured(text) {
  const parts = [];
  let end = 0;
  for (const token of text.matchAll(TOKENS)) {
    const [kind] = Object.entries(token.groups).find(([, found]) => found !== undefined);
    parts.push(text.slice(end, token.index), make("span", { class: kind }, token[0]));
    end = token.index + token[0].length;
  }
  return [...parts, text.slice(end)];
}

// -- what is done -----------------------------------------------------------------------------------------------------

function go() {
  const address = decodeURIComponent(location.hash.slice(1));
  const entry = byId.get(address);
  if (entry) showCase(entry);
  else showList(location.hash.slice(1));
}

function fillForm() {
  const count = (test) => data.cases.filter(test).length;
  const fill = (name, any, options) => form.elements[name].append(make("option", { value: "" }, any),
    ...options.map(([value, label]) => make("option", { value }, label ?? value)));
  const counted = (name, list, test) => fill(name, "any", list.map((word) => [word, `${word} (${count(test(word))})`]));
  counted("topic", Object.keys(data.topics), (word) => (entry) => entry.topic === word);
  counted("tracker", [...new Set(data.cases.flatMap((entry) => entry.trackers))].sort(),
    (word) => (entry) => entry.trackers.includes(word));
  counted("symptom", Object.keys(data.symptoms), (word) => (entry) => entry.symptom === word);
  const engines = [...new Set(data.columns.map((column) => column.engine))];
  fill("engine", "any", engines.flatMap((engine) => {
    const releases = data.columns.filter((column) => column.engine === engine);
    const each = releases.map((column) => [column.asked, nameOf(column)]);
    return releases.length > 1 ? [[engine, `${engine}, any release`], ...each] : each;
  }));
  fill("verdict", "any", data.verdicts.map((verdict) => [verdict]));
  fill("change", "all", [["fixed in", "fixed in a later one"], ["back in", "back in a later one"],
    ["differ", "engines differ"]]);
}

function choose() {
  const choice = [...new FormData(form)].filter(([, word]) => word.trim());
  const address = new URLSearchParams(choice).toString();
  history.replaceState(null, "", address ? `#${address}` : location.pathname + location.search);
  showList(address);
}

/** From one case to the next: in the list the focus goes there, on a case its neighbour is shown. */
function step(by) {
  if ($("list").hidden) {
    $("case").querySelector(by > 0 ? "[rel=next]" : "[rel=prev]")?.click();
    return;
  }
  const links = [...rows.querySelectorAll("a.title")];
  const place = links.indexOf(document.activeElement) + by;
  (links[Math.max(0, place)] || links.at(-1))?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const writing = event.target.matches("input, select");
  if (event.key === "Escape") {
    if (writing) event.target.blur();
    else if ($("list").hidden) location.hash = lastChoice;
  } else if (!writing && event.key === "/") {
    event.preventDefault();
    if ($("list").hidden) location.hash = lastChoice;
    setTimeout(() => form.elements.text.focus());
  } else if (!writing && (event.key === "j" || event.key === "k")) step(event.key === "j" ? 1 : -1);
});
form.addEventListener("input", choose);
form.addEventListener("reset", () => setTimeout(choose));
form.addEventListener("submit", (event) => event.preventDefault());
$("more").addEventListener("click", () => drawMore());
new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && drawMore(), { rootMargin: "600px" })
  .observe($("more"));
window.addEventListener("hashchange", go);

drawTotals();
drawHead();
fillForm();
go();
