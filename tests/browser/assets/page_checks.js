// What axe does not check: contrast of what is not text, rings of focus, what can be tabbed to.
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

  // Any CSS colour as [red, green, blue, alpha], each 0 to 1.
  function rgba(colour) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map(each => each / 255);
  }

  function luminance([red, green, blue]) {
    const linear = each => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  }

  function contrast(one, other) {
    const [dark, light] = [luminance(rgba(one)), luminance(rgba(other))].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  // The first colour that is opaque behind an element.
  function behind(element) {
    for (let each = element.parentElement; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (rgba(colour)[3] > 0.99) return colour;
    }
    return "white";
  }

  function shown(element) {
    return element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
  }

  function name(element) {
    const parts = [element.localName, element.id && `#${element.id}`, ...[...element.classList].map(each => `.${each}`)];
    return parts.filter(Boolean).join("");
  }

  // Borders of fields, bars and parts of pictures with less than 3:1 (WCAG 1.4.11), as [what, element, ratio].
  function faint() {
    const pairs = [];
    for (const field of document.querySelectorAll("input, select, textarea")) {
      if (field.type === "hidden" || !shown(field)) continue;
      const style = getComputedStyle(field);
      const outside = contrast(style.borderTopColor, behind(field));
      const filled = contrast(style.backgroundColor, behind(field));
      pairs.push(["border-contrast", field, Math.max(outside, filled)]);
    }
    for (const bar of document.querySelectorAll("[role=progressbar]")) {
      const style = getComputedStyle(bar);
      pairs.push(["bar-contrast", bar, contrast(style.color, style.backgroundColor)]);
    }
    for (const mark of document.querySelectorAll(".timeline rect")) {
      const fill = getComputedStyle(mark).fill;
      const ground = getComputedStyle(mark.ownerSVGElement).backgroundColor;
      pairs.push(["mark-contrast", mark, contrast(fill, ground)]);
    }
    for (const mark of document.querySelectorAll(".week .c, .week .f, .hero .hand")) {
      const style = getComputedStyle(mark);
      pairs.push(["mark-contrast", mark, contrast(style.fill === "none" ? style.stroke : style.fill, behind(mark))]);
    }
    for (const key of document.querySelectorAll(".key")) {
      const colour = getComputedStyle(key, "::before").backgroundColor;
      pairs.push(["mark-contrast", key, contrast(colour, behind(key))]);
    }
    return pairs
      .filter(([, , ratio]) => ratio < 3)
      .map(([what, element, ratio]) => [what, name(element), `${ratio.toFixed(2)}:1, 3:1 is needed`]);
  }

  // What the Tab key should reach, in this order.
  function focusable() {
    const found = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]");
    return [...found].filter(each => !each.disabled && each.type !== "hidden" && each.tabIndex >= 0 && shown(each));
  }

  // The next Tab reaches the first of them; how many there are.
  function begin() {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    return focusable().length;
  }

  // Of what has the focus: its place in `focusable()`, its name, and what is wrong with its ring.
  async function focus() {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); // scrolled
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const wrong = [];
    const ring = style.outlineStyle === "auto" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
    if (!ring) wrong.push("no ring");
    else if (style.outlineStyle !== "auto" && contrast(style.outlineColor, behind(element)) < 3) {
      wrong.push(`ring ${contrast(style.outlineColor, behind(element)).toFixed(2)}:1`);
    }
    const box = element.getBoundingClientRect();
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) wrong.push("out of sight");
    return [focusable().indexOf(element), name(element), wrong.join(", ")];
  }

  // A part that scrolls by itself is one more stop of the Tab key, and hides what it holds.
  function scroller() {
    const part = [...document.querySelectorAll("body *")].find(
      each => shown(each) && each.scrollWidth > each.clientWidth && /auto|scroll/.test(getComputedStyle(each).overflowX));
    return part === undefined ? "" : `${name(part)} scrolls sideways, by ${part.scrollWidth - part.clientWidth} px`;
  }

  function sideways() {
    const wide = document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth;
    if (wide <= 0) return scroller();
    const out = [...document.querySelectorAll("body *")].filter(
      each => shown(each) && each.getBoundingClientRect().right > innerWidth + 0.5);
    return `${wide} px too wide: ${out.slice(0, 3).map(name).join(", ")}`;
  }

  // In the middle of a sentence: such links are as high as its lines (WCAG 2.5.8).
  function inline(element) {
    if (getComputedStyle(element).display !== "inline") return false;
    return [...element.parentElement.childNodes].some(each => each.nodeType === Node.TEXT_NODE && /\p{L}{2}/u.test(each.data));
  }

  // Targets below 24 by 24 pixels that are so close to another that a circle of that size meets it.
  function small() {
    const targets = focusable().filter(each => !inline(each)).map(each => [each, each.getBoundingClientRect()]);
    const middle = box => [box.left + box.width / 2, box.top + box.height / 2];
    const found = targets.filter(([element, box]) => {
      if (Math.min(box.width, box.height) >= 23.99) return false;
      const [x, y] = middle(box);
      return targets.some(([other, theirs]) => {
        if (other === element) return false;
        const right = Math.max(theirs.left - x, 0, x - theirs.right), down = Math.max(theirs.top - y, 0, y - theirs.bottom);
        const alike = Math.min(theirs.width, theirs.height) < 23.99;
        return alike ? Math.hypot(x - middle(theirs)[0], y - middle(theirs)[1]) < 24 : Math.hypot(right, down) < 12;
      });
    });
    return found.map(([element, box]) => ["target-size", name(element), `${box.width.toFixed(0)} by ${box.height.toFixed(0)} px`]);
  }

  // Texts that are cut off where lines, letters and words stand further apart (WCAG 1.4.12).
  function spaced() {
    for (const each of document.querySelectorAll("body, body *")) {
      each.style.setProperty("line-height", "1.5", "important");
      each.style.setProperty("letter-spacing", "0.12em", "important");
      each.style.setProperty("word-spacing", "0.16em", "important");
      if (each.localName === "p") each.style.setProperty("margin-bottom", "2em", "important");
    }
    const cut = [...document.querySelectorAll("body *")].filter(each => {
      const style = getComputedStyle(each);
      const hidden = style.overflowX !== "visible" || style.overflowY !== "visible";
      const read = shown(each) && !["input", "select", "textarea", "svg"].includes(each.localName) && style.position !== "absolute";
      return hidden && read && each.innerText && !/auto|scroll/.test(style.overflowX) &&
        (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1);
    });
    return [sideways(), ...cut.map(each => `${name(each)} is cut off`)].filter(Boolean);
  }

  globalThis.pageChecks = { begin, faint, focusable, focus, sideways, small, spaced };
  return true;
})()
