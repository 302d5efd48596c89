"use strict";

// The numbers of a neuron view: from the whole numbers that Python packed, and in words.

const neuronNumbers = {
  // What bertviz draws of one choice: layers x heads x tokens x …; for each, the weights and two kinds of vectors.
  unpacked(bytes, part, choice) {
    const { layers, heads, queries, keys, size, query_steps, key_steps } = part;
    const each = { attn: queries.length * keys.length, queries: queries.length * size, keys: keys.length * size };
    const all = layers.length * heads.length;
    const queriesAt = part.start + 2 * all * each.attn;
    const whole = {
      attn: new Uint16Array(bytes.buffer, part.start, all * each.attn),
      queries: new Int16Array(bytes.buffer, queriesAt, all * each.queries),
      keys: new Int16Array(bytes.buffer, queriesAt + 2 * all * each.queries, all * each.keys),
    };
    const nested = (name, rows, [first, last], length, step) =>
      layers.map((_, layer) => heads.map((_, head) => {
        const start = (layer * heads.length + head) * each[name];
        return Array.from({ length: rows[1] - rows[0] }, (_, i) => {
          const at = start + (rows[0] + i) * length;
          return Array.from(whole[name].subarray(at + first, at + last), (number) => number * step(layer, head));
        });
      }));
    return {
      attn: nested("attn", choice.rows, choice.columns, keys.length, () => 1 / 65535),
      queries: nested("queries", choice.rows, [0, size], size, (layer, head) => query_steps[layer][head]),
      keys: nested("keys", choice.columns, [0, size], size, (layer, head) => key_steps[layer][head]),
      left_text: queries.slice(...choice.rows),
      right_text: keys.slice(...choice.columns),
    };
  },

  // One head, with what can be said about it. A later token of a causal model is hidden from the query.
  head(numbers, layer, head, causal) {
    const [left, right] = [numbers.left_text, numbers.right_text].map((texts) => texts.map(tokenLists.short));
    const [weights, queries, keys] = [numbers.attn, numbers.queries, numbers.keys].map((all) => all[layer][head]);
    const signed = neuronNumbers.signed;
    const hidden = (i, j) => causal && j > i;
    const products = (i, j) => queries[i].map((number, k) => number * keys[j][k]);
    const score = (i, j) => products(i, j).reduce((sum, product) => sum + product, 0) / Math.sqrt(queries[i].length);
    const link = (i, j) => `${left[i]} → ${right[j]}`;

    return {
      hidden,

      ofQuery(i) {
        const seen = right.map((_, j) => ({ j, weight: weights[i][j], score: score(i, j) }))
          .filter(({ j }) => !hidden(i, j));
        seen.sort((a, b) => b.weight - a.weight || b.score - a.score || a.j - b.j); // weights that round to 0 are alike
        const listed = seen.slice(0, 3).map((key) =>
          `${right[key.j]} ${key.weight.toFixed(3)} (score ${signed(key.score, 2)})`);
        return `Largest weights: ${listed.join(", ")}.`;
      },

      ofKey(i, j) {
        if (hidden(i, j)) return `${link(i, j)}: a later token, which this query cannot see.`;
        const listed = tokenLists.largest(products(i, j), 3, Math.abs).map(([product, k]) => `dimension ${k} ${signed(product, 2)}`);
        const found = `weight ${weights[i][j].toFixed(3)}, score ${signed(score(i, j), 2)}`;
        return `${link(i, j)}: ${found}. Largest products: ${listed.join(", ")}.`;
      },

      ofProduct(i, j, k) {
        const [query, key] = [queries[i][k], keys[j][k]];
        const product = `q ${signed(query, 3)} × k ${signed(key, 3)} = ${signed(query * key, 3)}`;
        return `${link(i, j)}, dimension ${k}: ${product}.`;
      },

      ofCell: (i, k) => `Query ${left[i]}, dimension ${k}: ${signed(queries[i][k], 3)}.`,
    };
  },

  signed(number, digits) {
    const text = Math.abs(number).toFixed(digits);
    if (Number(text) === 0) return text;
    return `${number < 0 ? "−" : "+"}${text}`;
  },
};
