"use strict";
// What the pages do beyond links and forms: drawing over histograms, keys, the slider, and looking again at a run.

// A stroke over the bars of a histogram filters by the range between its ends.
for (const chart of document.querySelectorAll("svg.bars")) {
  const bars = [...chart.querySelectorAll("a")];
  let from = null, moved = false;
  const at = event => bars.findIndex(bar => {
    const box = bar.querySelector(".room").getBoundingClientRect();
    return event.clientX >= box.left && event.clientX < box.right;
  });
  const paint = to => bars.forEach((bar, place) =>
    bar.classList.toggle("drawn", from !== null && place >= Math.min(from, to) && place <= Math.max(from, to)));
  chart.addEventListener("pointerdown", event => { from = at(event); moved = false; if (from < 0) from = null; });
  chart.addEventListener("pointermove", event => {
    if (from === null) return;
    const to = at(event);
    if (to >= 0) { moved = moved || to !== from; paint(to); }
  });
  chart.addEventListener("dragstart", event => event.preventDefault());
  window.addEventListener("pointerup", event => {
    if (from === null) return;
    const to = at(event), [low, high] = [Math.min(from, to), Math.max(from, to)];
    const [first, last] = [bars[low], bars[high]];
    const drawn = moved && to >= 0 && chart.dataset.words === "0";
    from = null; paint(-1);
    if (drawn) narrow(chart.dataset.column, first.dataset.low, last.dataset.high, last.dataset.below === "1");
    if (drawn) moved = true; else moved = false;
  });
  chart.addEventListener("click", event => {
    if (moved) { event.preventDefault(); moved = false; return; }
    const bar = event.target.closest("a");
    if (bar && document.getElementById("list")?.dataset.fixed) {
      event.preventDefault();
      narrow(chart.dataset.column, bar.dataset.low, bar.dataset.high, bar.dataset.below === "1");
    }
  });
}

// On the server the filter goes into the address; in static pages rows are hidden.
const ranges = new Map();
function narrow(column, low, high, below) {
  const list = document.getElementById("list");
  if (!list?.dataset.fixed) {
    const address = new URL(location.href);
    address.searchParams.set(`is.${column}`, `${low}..${below ? "<" : ""}${high}`);
    address.searchParams.delete("page");
    location.href = address;
    return;
  }
  ranges.set(column, [low, high, below]);
  let shown = 0;
  for (const row of list.tBodies[0].rows) {
    const fits = [...ranges].every(([name, [first, last, open]]) => {
      const cell = [...row.cells].find(each => each.dataset.column === name);
      if (!cell || cell.dataset.value === "") return false;
      if (first === last && cell.dataset.value === first) return true;
      const value = Number(cell.dataset.value);
      return value >= Number(first) && (open ? value < Number(last) : value <= Number(last));
    });
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("count").textContent = shown.toLocaleString("en");
  const chips = document.querySelector(".chips");
  chips.querySelectorAll("button").forEach(each => each.remove());
  for (const [name, [first, last]] of ranges) {
    const chip = document.createElement("button");
    chip.className = "chip";
    chip.textContent = `${name} ${first}..${last} ×`;
    chip.addEventListener("click", () => {
      ranges.delete(name);
      const [rest] = ranges;
      if (rest) narrow(rest[0], ...rest[1]); else { ranges.clear(); chip.remove(); unhide(); }
    });
    chips.append(chip);
  }
}
function unhide() {
  const rows = document.getElementById("list").tBodies[0].rows;
  for (const row of rows) row.hidden = false;
  document.getElementById("count").textContent = rows.length.toLocaleString("en");
}

// Static pages sort here.
for (const button of document.querySelectorAll("button[data-sort]")) {
  button.addEventListener("click", () => {
    const list = document.getElementById("list"), head = button.closest("th");
    const down = head.getAttribute("aria-sort") === "ascending";
    const place = head.cellIndex;
    const value = row => row.cells[place].dataset.value ?? row.cells[place].textContent;
    const rows = [...list.tBodies[0].rows].sort((one, two) => {
      const [left, right] = [value(one), value(two)];
      if (left === "" || right === "") return (left === "") - (right === "");
      const numbers = Number(left) - Number(right);
      return (down ? -1 : 1) * (Number.isNaN(numbers) ? left.localeCompare(right, "en", { numeric: true }) : numbers);
    });
    list.querySelectorAll("th[aria-sort]").forEach(each => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    list.tBodies[0].append(...rows);
  });
}

// Keys: / to the filter, left and right (or k and j) to the neighbours.
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const where = { ArrowLeft: "prev", k: "prev", ArrowRight: "next", j: "next" }[event.key];
  if (event.key === "/" && document.getElementById("where")) {
    event.preventDefault();
    document.getElementById("where").focus();
  } else if (where) {
    document.querySelector(`a[rel="${where}"]`)?.click();
  }
});

// Pictures over each other.
for (const slider of document.querySelectorAll(".slider input")) {
  const slide = slider.closest(".change").querySelector(".slide");
  const move = () => slide.style.setProperty("--at", `${slider.value}%`);
  slider.addEventListener("input", move);
  move();
}

// A run under way is looked at again every two seconds, as long as someone looks.
const live = document.getElementById("live");
if (live?.dataset.runs === "1") {
  const again = async () => {
    if (document.hidden) return;
    try {
      const reply = await fetch(location.href, { credentials: "same-origin" });
      if (!reply.ok) return;
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const now = page.getElementById("live");
      const opened = [...live.querySelectorAll("details")].map(each => each.open);
      if (now && now.innerHTML !== live.innerHTML) {
        live.replaceChildren(...now.childNodes);
        live.querySelectorAll("details").forEach((each, place) => { each.open = opened[place] ?? each.open; });
      }
      if (now?.dataset.runs !== "1") clearInterval(timer);
    } catch { /* the server is gone; what was seen stays */ }
  };
  const timer = setInterval(again, 2000);
}
