// The two things that a report cannot do without script: the slider moves a marker and shows what
// the page already says of each setting, and tables sort by the column whose header is pressed.
"use strict";

function dial() {
  const slider = document.getElementById("dial");
  if (!slider) return;
  const settings = JSON.parse(document.getElementById("dial-data").textContent);
  const shown = document.querySelectorAll("[data-show]");
  const bars = document.querySelectorAll(".dial .mix li");
  const live = document.getElementById("dial-live");
  const markers = Array.from(document.querySelectorAll(".marker[data-track]"), (marker) => ({
    marker,
    track: marker.dataset.track.split(" "),
  }));
  let announcement;

  function show() {
    const position = Number(slider.value);
    const setting = settings[position];
    for (const element of shown) element.textContent = setting[element.dataset.show] ?? "";
    for (const { marker, track } of markers) {
      marker.setAttribute("transform", `translate(${track[position].replace(",", " ")})`);
    }
    bars.forEach((bar, model) => {
      const share = setting.mix[model];
      bar.toggleAttribute("data-zero", share === 0);
      bar.querySelector(".fill").setAttribute("width", share);
      bar.querySelector(".share").textContent = `${share.toFixed(1)}\u00a0%`;
    });
    slider.setAttribute("aria-valuetext", setting.spoken);
    // Said once the slider rests: it moves faster than anyone can listen.
    clearTimeout(announcement);
    announcement = setTimeout(() => (live.textContent = setting.spoken), 500);
  }

  document.getElementById("no-script").remove();
  slider.closest(".slider").hidden = false;
  slider.addEventListener("input", show);
}

function sortable(table) {
  const headers = Array.from(table.tHead.rows[0].cells);
  const body = table.tBodies[0];
  const key = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
    return cell.classList.contains("num") ? undefined : cell.textContent.trim();
  };
  // Numbers fall at the first press, names rise; what is unknown stays last.
  const compare = (a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(String(b)));

  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const first = header.classList.contains("num") ? "descending" : "ascending";
      const other = first === "descending" ? "ascending" : "descending";
      const order = header.getAttribute("aria-sort") === first ? other : first;
      headers.forEach((each) => each.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = Array.from(body.rows, (row) => ({ row, key: key(row, column) }));
      rows.sort((a, b) => {
        if (a.key === undefined || b.key === undefined) {
          return (a.key === undefined) - (b.key === undefined);
        }
        return sign * compare(a.key, b.key);
      });
      body.append(...rows.map((each) => each.row));
    });
  });
}

dial();
document.querySelectorAll("table.sortable").forEach(sortable);
