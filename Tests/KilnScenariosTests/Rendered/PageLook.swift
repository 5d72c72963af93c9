/// What a browser measured of a page.
struct PageLook: Decodable {
    /// Where the first elements of some classes end, in pixels from the top.
    let bottoms: [String: Double]
    /// How far the page is wider than the screen.
    let excess: Double
    /// Texts that lie on others.
    let overlaps: [String]
    /// Texts that reach out of the page.
    let outside: [String]
    /// Texts that can hardly be told from their background, with the ratio: below 4.5, which WCAG 2.2 asks for in 1.4.3.
    let pale: [String]
    /// How light the page is where nothing is written: from 0, which is black, to 1.
    let light: Double
    /// The names of all elements and attributes.
    let markup: [String]
    /// All that is written, as it is read.
    let text: String

    /// Measures, and leaves nothing else on the page.
    static let script = #"""
        (() => {
          const bottoms = {};
          for (const name of ['verdict', 'lost', 'gap', 'cause']) {
            const element = document.querySelector('.' + name);
            if (element) bottoms[name] = element.getBoundingClientRect().bottom;
          }
          const markup = new Set();
          for (const element of document.querySelectorAll('*')) {
            if (element === document.currentScript) continue;
            markup.add(element.localName);
            for (const attribute of element.attributes) markup.add('@' + attribute.name);
          }
          const channels = color => (color.match(/[\d.]+/g) || []).map(Number);
          const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
          const ground = element => {
            for (let at = element; at; at = at.parentElement) {
              const found = channels(getComputedStyle(at).backgroundColor);
              if (found.length === 3 || found[3] > 0) return found;
            }
            return [255, 255, 255];
          };
          const places = [], pale = [], outside = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let node; (node = walker.nextNode());) {
            const word = node.data.trim().slice(0, 60), parent = node.parentElement;
            if (!word || parent.closest('script, style, svg')) continue;
            const [one, two] = [channels(getComputedStyle(parent).color), ground(parent)].map(light).sort((a, b) => b - a);
            const ratio = (one + 0.05) / (two + 0.05);
            if (ratio < 4.5) pale.push(ratio.toFixed(2) + ' ' + word);
            const range = document.createRange();
            range.selectNodeContents(node);
            for (const box of range.getClientRects()) {
              if (box.width < 1) continue;
              if (box.left < -1 || box.right > innerWidth + 1) outside.push(word);
              places.push([box, word, node]);
            }
          }
          const overlaps = [];
          for (const [index, [a, word, node]] of places.entries()) {
            for (const [b, other, second] of places.slice(index + 1)) {
              if (node === second) continue;
              const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
              const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              if (wide > 1 && high > 4) overlaps.push(word + ' / ' + other);
            }
          }
          const root = document.documentElement;
          const excess = Math.max(root.scrollWidth, document.body.scrollWidth) - root.clientWidth;
          const text = document.body.innerText;
          const found = { bottoms, excess, light: light(ground(document.body)), overlaps, outside, pale, markup: [...markup].sort(), text };
          const bytes = new TextEncoder().encode(JSON.stringify(found));
          document.head.replaceChildren();
          document.body.textContent = 'BEGIN' + btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join('')) + 'END';
        })();
        """#
}
