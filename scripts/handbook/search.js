// Shows what of `entries` (search-index.js) has every word of ?q=.
const han = /\p{Script=Han}+/gu;

// Chinese has no spaces between words: each two neighbours are a term, as CJK analyzers of other search engines do.
function terms(text) {
  const pairs = [...text.matchAll(han)].flatMap(([run]) => {
    const signs = [...run];
    return signs.length < 2 ? signs : signs.slice(1).map((sign, at) => signs[at] + sign);
  });
  return [...pairs, ...(text.replaceAll(han, " ").match(/[\p{L}\p{N}_]+/gu) ?? [])];
}

const index = new MiniSearch({
  fields: ["title", "page", "text"],
  storeFields: ["title", "page", "text"],
  tokenize: terms,
  searchOptions: { combineWith: "AND", prefix: true, boost: { title: 4, page: 2 } },
});
index.addAll(entries);

const query = new URLSearchParams(location.search).get("q") ?? "";
const results = document.getElementById("results");
document.querySelector("input[name=q]").value = query;
const found = query.trim() === "" ? [] : index.search(query).slice(0, 50);
if (found.length === 0) results.textContent = query.trim() === "" ? "" : results.dataset.none;
for (const {
  id,
  title,
  page,
  text,
  terms: [first],
} of found) {
  const link = document.createElement("a");
  link.href = id;
  link.textContent = title === page ? title : `${page}: ${title}`;
  const excerpt = document.createElement("p");
  const at = Math.max(0, text.toLowerCase().indexOf(first) - 60);
  excerpt.textContent = text.slice(at, at + 200);
  results.append(link, excerpt);
}
