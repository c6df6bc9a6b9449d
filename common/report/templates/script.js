"use strict";
document.documentElement.classList.add("scripted");

/* An address inside the page opens whatever it is folded into. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.closest("#ledger .claims") && target.closest("[hidden]")) {
    document.getElementById("filter").reset();
    filter();
  }
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);

/* Sliders: two pictures of one image on each other, and a part of them enlarged. */
const START = 50;
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function slider(figure) {
  const pictures = [...figure.querySelectorAll(".pictures img")];
  const names = [...figure.querySelectorAll(".pictures figcaption")].map(caption => caption.textContent);
  const [top, left, side] = figure.dataset.inset.split(",").map(Number);
  const [width, height] = figure.dataset.size.split(",").map(Number);
  const chosen = [0, Number(figure.dataset.best)];
  const shown = chosen.map((_, index) => element("img", {class: index ? "over" : "under", alt: "", width, height}));
  const range = element("input", {type: "range", min: 0, max: 100, value: START, "aria-label": "Where the two pictures meet"});
  const stage = element("div", {class: "stage"}, ...shown, range, element("span", {class: "handle", "aria-hidden": "true"}));
  const insets = chosen.map(() => element("canvas", {class: "inset", width: side * 4, height: side * 4, role: "img"}));
  const picks = chosen.map((_, index) => {
    const pick = element("select", {"aria-label": index ? "Picture on the right" : "Picture on the left"});
    names.forEach((name, number) => pick.append(element("option", {value: number}, name)));
    pick.addEventListener("change", () => { chosen[index] = Number(pick.value); draw(); });
    return pick;
  });
  function move() {
    stage.style.setProperty("--at", range.value + "%");
    range.setAttribute("aria-valuetext", `${range.value} % ${names[chosen[0]]}, then ${names[chosen[1]]}`);
  }
  function draw() {
    chosen.forEach((number, index) => {
      picks[index].value = number;
      shown[index].src = pictures[number].src;
      shown[index].alt = pictures[number].alt;
      const pen = insets[index].getContext("2d");
      pen.imageSmoothingEnabled = false;
      insets[index].setAttribute("aria-label", `Enlarged part: ${names[number]}`);
      shown[index].decode().then(() => pen.drawImage(shown[index], left, top, side, side, 0, 0, side * 4, side * 4), () => {});
    });
    move();
  }
  range.addEventListener("input", move);
  const views = picks.map((pick, index) => element("div", {}, pick, insets[index]));
  figure.querySelector(".pictures").before(element("div", {class: "slider"}, stage, element("div", {class: "views"}, ...views)));
  figure.classList.add("live");
  draw();
}
/* A folded slider waits until it is unfolded. */
const waiting = new IntersectionObserver(seen => seen.forEach(one => {
  if (one.isIntersecting) { waiting.unobserve(one.target); slider(one.target); }
}), {rootMargin: "600px"});
document.querySelectorAll(".comparison").forEach(figure => waiting.observe(figure));

/* The ledger: filter and sort. */
const form = document.getElementById("filter");
const ORDER = [...form.elements.verdict.options].map(option => option.value);
const entries = [...document.querySelectorAll(".entry")];
const texts = new Map();
function text(entry) {
  if (!texts.has(entry)) texts.set(entry, (entry.closest(".claim").querySelector("h4").textContent + entry.textContent + entry.id).toLowerCase());
  return texts.get(entry);
}
function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const entry of entries) {
    const fits = (!wanted.verdict || entry.dataset.verdict === wanted.verdict)
      && (!wanted.fidelity || entry.dataset.fidelity === wanted.fidelity)
      && (!wanted.paper || entry.closest(".paper").dataset.paper === wanted.paper)
      && words.every(word => text(entry).includes(word));
    entry.hidden = !fits;
    count += fits;
  }
  for (const group of document.querySelectorAll(".claim, .paper")) group.hidden = !group.querySelector(".entry:not([hidden])");
  document.querySelectorAll(".claims").forEach(claims => sort(claims, wanted.sort));
  form.querySelector("output").textContent = `${count} of ${entries.length} rows`;
}
const places = new Map([...document.querySelectorAll(".claim")].map((claim, place) => [claim, place]));
function rank(claim) {
  return Math.min(...[...claim.querySelectorAll(".entry:not([hidden])")].map(entry => ORDER.indexOf(entry.dataset.verdict)));
}
const KEYS = {
  "": claim => [places.get(claim)],
  verdict: claim => [rank(claim), places.get(claim)],
  id: claim => [claim.querySelector("h4 a").textContent],
};
function sort(claims, by) {
  const keyed = [...claims.children].map(claim => [KEYS[by](claim), claim]);
  keyed.sort(([one], [other]) => {
    for (let at = 0; at < one.length; at++) {
      const difference = typeof one[at] === "number" ? one[at] - other[at] : one[at].localeCompare(other[at], "en", {numeric: true});
      if (difference) return difference;
    }
    return 0;
  });
  claims.append(...keyed.map(([, claim]) => claim));
}
form.hidden = false;
form.addEventListener("input", filter);
form.addEventListener("submit", event => event.preventDefault());
filter();
reveal();
