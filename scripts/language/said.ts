/**
 * What a source says to people, read from it: the texts that its calls hand over, with `{1}`, `{2}` where they are filled in.
 * Constants, conditions, parameters and functions of the same file are followed; of what comes from elsewhere nothing is known.
 */
import {
  type AnyNode,
  type CallExpression,
  type Function,
  type NewExpression,
  type Node,
  parse,
  type Program,
} from "acorn";
import { ancestor } from "acorn-walk";
import { transformSync } from "esbuild";

/** Which arguments of a call are texts: a position, or a field of the object there. `lead`: something is said before it. */
export interface Said {
  readonly argument: number;
  readonly fields?: readonly string[];
  readonly lead?: boolean;
}

type Call = CallExpression | NewExpression;

/** Where something is filled in, until it is numbered. */
const gap = "\u0001";
/** A text with more forms than this is one whose parts are not known. */
const most = 16;

/** Objects that are texts in these fields: those that have a field of the name `has`. */
export interface SaidObject {
  readonly has: string;
  readonly fields: readonly string[];
}

/** The texts that calls of these functions say, and such objects, each once. */
export function saidIn(
  typescript: string,
  calls: Readonly<Record<string, readonly Said[]>>,
  object?: SaidObject,
): string[] {
  const program = parse(transformSync(typescript, { loader: "ts" }).code, {
    ecmaVersion: "latest",
    sourceType: "module",
  });
  const source = new Source(program);
  const byName = new Map(Object.entries(calls));
  const found = new Set<string>();
  const add = (text: string): void => {
    if (text.replaceAll(gap, "").trim() !== "") found.add(numbered(text));
  };
  for (const { call, around } of source.calls) {
    for (const { argument, fields, lead } of byName.get(nameOf(call)) ?? []) {
      const node = call.arguments[argument];
      const given = node === undefined ? [] : fields === undefined ? [node] : fieldsOf(node, fields);
      for (const text of given.flatMap((one) => source.textsOf(one, around)))
        add(lead === true ? `${gap} ${text}` : text);
    }
  }
  for (const { node, around } of object === undefined ? [] : source.objects) {
    if (fieldsOf(node, [object?.has ?? ""]).length === 0) continue;
    fieldsOf(node, object?.fields ?? []).forEach((one) => source.textsOf(one, around).forEach(add));
  }
  return [...found];
}

function numbered(text: string): string {
  let number = 0;
  return text.replaceAll(gap, () => `{${(number += 1)}}`);
}

function nameOf({ callee }: Call): string {
  return callee.type === "Identifier" ? callee.name : "";
}

function fieldsOf(node: Node, names: readonly string[]): Node[] {
  const object = node as AnyNode;
  if (object.type !== "ObjectExpression") return [];
  return object.properties.flatMap((one) =>
    one.type === "Property" && one.key.type === "Identifier" && names.includes(one.key.name) ? [one.value] : [],
  );
}

interface Declared {
  readonly name: string;
  readonly value: Node;
  readonly within: Node;
}

class Source {
  readonly calls: { readonly call: Call; readonly around: readonly Node[] }[] = [];
  readonly objects: { readonly node: Node; readonly around: readonly Node[] }[] = [];
  readonly #declared: Declared[] = [];
  readonly #functions = new Map<string, Function>();
  #depth = 0;

  constructor(program: Program) {
    const note = (call: Call, _: unknown, around: Node[]): void => void this.calls.push({ call, around: [...around] });
    ancestor(program, {
      CallExpression: note,
      NewExpression: note,
      ObjectExpression: (node, _, around) => void this.objects.push({ node, around: [...around] }),
      FunctionDeclaration: (node) => void (node.id !== null && this.#functions.set(node.id.name, node)),
      VariableDeclarator: ({ id, init }, _, around) => {
        const within = around.findLast(({ type }) => /^(BlockStatement|Program)$/.test(type)) ?? program;
        if (init === undefined || init === null) return;
        if (id.type === "Identifier") {
          this.#declared.push({ name: id.name, value: init, within });
          if (init.type === "ArrowFunctionExpression") this.#functions.set(id.name, init);
        }
      },
    });
  }

  /** Every form that a text can have; what is not known of it is a gap. */
  textsOf(node: Node, around: readonly Node[]): readonly string[] {
    if (this.#depth > 12) return [gap];
    this.#depth += 1;
    const texts = [...new Set(this.#textsOf(node as AnyNode, around))];
    this.#depth -= 1;
    return texts.length > most ? [gap] : texts;
  }

  #textsOf(node: AnyNode, around: readonly Node[]): readonly string[] {
    switch (node.type) {
      case "Literal":
        return typeof node.value === "string" ? [node.value] : node.value === null ? [] : [gap];
      case "TemplateLiteral":
        return node.expressions.reduce<readonly string[]>(
          (before, one, at) => joined(before, this.textsOf(one, around), node.quasis[at + 1]?.value.cooked ?? ""),
          [node.quasis[0]?.value.cooked ?? ""],
        );
      case "ConditionalExpression":
        return [node.consequent, node.alternate].flatMap((one) => this.textsOf(one, around));
      case "LogicalExpression":
        return [node.left, node.right].flatMap((one) => this.textsOf(one, around));
      case "BinaryExpression":
        return joined(this.textsOf(node.left, around), this.textsOf(node.right, around), "");
      case "AwaitExpression":
        return this.textsOf(node.argument, around);
      case "CallExpression":
        return this.#returnedBy(nameOf(node));
      case "Identifier":
        return node.name === "undefined" ? [] : this.#valuesOf(node.name, around);
      default:
        return [gap];
    }
  }

  /** Of a parameter: what the file's own calls hand over. Of a constant: what it was made as. */
  #valuesOf(name: string, around: readonly Node[]): readonly string[] {
    for (const one of around.toReversed() as AnyNode[]) {
      if (isFunction(one)) {
        const at = one.params.findIndex((parameter) => parameter.type === "Identifier" && parameter.name === name);
        if (at !== -1) return this.#givenTo(one, at);
      }
      const made = this.#declared.find((declared) => declared.name === name && declared.within === one);
      if (made !== undefined) return this.textsOf(made.value, around);
    }
    return [gap];
  }

  #givenTo(called: Function, at: number): readonly string[] {
    const name = [...this.#functions].find(([, one]) => one === called)?.[0];
    const given = this.calls.filter(({ call }) => name !== undefined && nameOf(call) === name);
    const texts = given.flatMap(({ call, around }) => {
      const node = call.arguments[at];
      return node === undefined ? [] : this.textsOf(node, around);
    });
    return texts.length === 0 ? [gap] : texts;
  }

  #returnedBy(name: string): readonly string[] {
    const called = this.#functions.get(name);
    if (called === undefined) return [gap];
    if (called.body.type !== "BlockStatement") return this.textsOf(called.body, [called]);
    const returned: { node: Node; around: readonly Node[] }[] = [];
    ancestor(called.body, {
      ReturnStatement: ({ argument }, _, around) => {
        const own = !around.some((one) => isFunction(one));
        if (own && argument !== undefined && argument !== null)
          returned.push({ node: argument, around: [called, ...around] });
      },
    });
    const texts = returned.flatMap(({ node, around }) => this.textsOf(node, around));
    return texts.length === 0 ? [gap] : texts;
  }
}

function joined(before: readonly string[], more: readonly string[], after: string): readonly string[] {
  const texts = more.length === 0 ? [gap] : more;
  return before.flatMap((one) => texts.map((other) => one + other + after));
}

function isFunction(node: AnyNode): node is Function & AnyNode {
  return /Function/.test(node.type) && "params" in node;
}
