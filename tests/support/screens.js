// Evaluated in a page: returns the problems of its layout, texts, colours and pictures.
() => {
  const problems = [];
  const SHAPES = "svg .event, svg .ok, svg .rejected, svg .failed, svg .missing, svg .bound";

  for (const each of document.querySelectorAll("details")) each.open = true;

  function named(element) {
    const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 30);
    return `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${text}`;
  }

  function shown(element) {
    const area = element.getBoundingClientRect();
    return area.width > 1 && area.height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  }

  function channels(colour) {
    const found = colour.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
    if (!found) throw new Error(`unknown colour: ${colour}`);
    return found.slice(1).map((each) => (each === undefined ? 1 : Number(each)));
  }

  function luminance(colour) {
    const [red, green, blue] = colour.map((each) => {
      const share = each / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function background(element) {
    for (let each = element; each; each = each.parentElement) {
      const [red, green, blue, alpha] = channels(getComputedStyle(each).backgroundColor);
      if (alpha === 1) return [red, green, blue];
      if (alpha !== 0) problems.push(`translucent background: ${named(each)}`);
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
  }

  function contrast(colour, element) {
    if (colour === "none") return 1;
    const pair = [luminance(channels(colour)), luminance(background(element))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  }

  function check_layout() {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) problems.push("the page scrolls horizontally");
    for (const each of document.body.querySelectorAll("*")) {
      const { left, right } = each.getBoundingClientRect();
      const scrolls = each.parentElement.closest("pre.code");
      if (!scrolls && shown(each) && (left < -0.5 || right > width + 0.5)) {
        problems.push(`wider than the screen: ${named(each)}`);
      }
    }
    for (const each of document.querySelectorAll("nav a, summary")) {
      if (each.getBoundingClientRect().height < 24) problems.push(`small target: ${named(each)}`);
    }
  }

  function check_text() {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim() || element.closest("title, desc") || !shown(element)) continue;
      const style = getComputedStyle(element);
      const picture = element.closest("svg");
      const smallest = picture ? 11 : element.closest("pre") ? 13 : 16;
      const scale = picture ? element.getScreenCTM().a : 1;
      const size = parseFloat(style.fontSize) * scale;
      if (size < smallest - 0.01) problems.push(`font size ${size.toFixed(1)}: ${named(element)}`);
      const ratio = contrast(picture ? style.fill : style.color, element);
      if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(1)}: ${named(element)}`);
    }
  }

  function check_pictures() {
    for (const each of document.querySelectorAll("svg")) {
      const { width, height } = each.getBoundingClientRect();
      if (width < 250 || height < 50 || !shown(each)) problems.push(`picture not visible: ${named(each)}`);
    }
    for (const each of document.querySelectorAll(SHAPES)) {
      const style = getComputedStyle(each);
      const colour = style.fill === "none" ? style.stroke : style.fill;
      const ratio = contrast(colour, each);
      if (ratio < 3) problems.push(`contrast of a shape ${ratio.toFixed(1)}: ${named(each)}`);
    }
  }

  check_layout();
  check_text();
  check_pictures();
  return problems;
}
