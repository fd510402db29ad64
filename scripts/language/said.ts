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
const most = 40;
const mostCombined = 12;

/** Objects that are texts in these fields: those that have a field of the name `has`. */
export interface SaidObject {
  readonly has: string;
  readonly fields: readonly string[];
}

/** The texts that calls of these functions say, such objects, and what functions of the names `returned` give; each once. */
export function saidIn(
  typescript: string,
  calls: Readonly<Record<string, readonly Said[]>>,
  objects: readonly SaidObject[] = [],
  returned: readonly string[] = [],
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
      const given =
        node === undefined ? [] : fields === undefined ? [{ node, around }] : source.fieldsOf(node, fields, around);
      for (const text of given.flatMap((one) => source.textsOf(one.node, one.around)))
        add(lead === true ? `${gap} ${text}` : text);
    }
  }
  for (const name of returned) source.returnedBy(name).forEach(add);
  for (const { has, fields } of objects) {
    for (const { node, around } of source.objects) {
      if (source.fieldsOf(node, [has], around).length === 0) continue;
      for (const one of source.fieldsOf(node, fields, around)) source.textsOf(one.node, one.around).forEach(add);
    }
  }
  return [...found];
}

function numbered(text: string): string {
  let number = 0;
  return text.replaceAll(gap, () => `{${(number += 1)}}`);
}

/** Of a function, or of a method of the object's own; another object's has a dot before it: `.warn`. */
function nameOf({ callee }: Call): string {
  if (callee.type === "Identifier") return callee.name;
  // `(sure ? error : warning)(…)`: which one it is makes no difference to what is said.
  if (callee.type === "ConditionalExpression") return nameOfKey(callee.consequent);
  if (callee.type !== "MemberExpression") return "";
  return `${callee.object.type === "ThisExpression" ? "" : "."}${nameOfKey(callee.property)}`;
}

function nameOfKey(key: Node): string {
  const named = key as AnyNode;
  if (named.type === "PrivateIdentifier") return `#${named.name}`;
  return named.type === "Identifier" ? named.name : "";
}

/** An expression with what stands around it, from the outside in. */
interface Placed {
  readonly node: Node;
  readonly around: readonly Node[];
}

interface Declared {
  readonly name: string;
  readonly value: Node;
  readonly within: Node;
}

class Source {
  readonly calls: { readonly call: Call; readonly around: readonly Node[] }[] = [];
  readonly objects: Placed[] = [];
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
      MethodDefinition: ({ key, value }) => void this.#functions.set(nameOfKey(key), value),
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

  /** What an object has in these fields, be it written there, under a name, or spread into it. */
  fieldsOf(node: Node, names: readonly string[], around: readonly Node[]): Placed[] {
    const object = node as AnyNode;
    switch (object.type) {
      case "ObjectExpression":
        return object.properties.flatMap((one): Placed[] => {
          if (one.type === "SpreadElement") return this.fieldsOf(one.argument, names, around);
          return names.includes(nameOfKey(one.key)) ? [{ node: one.value, around }] : [];
        });
      case "ConditionalExpression":
        return [object.consequent, object.alternate].flatMap((one) => this.fieldsOf(one, names, around));
      case "LogicalExpression":
        return [object.left, object.right].flatMap((one) => this.fieldsOf(one, names, around));
      case "Identifier":
        return this.#madeAs(object.name, around).flatMap((one) => this.fieldsOf(one.node, names, one.around));
      default:
        return [];
    }
  }

  #textsOf(node: AnyNode, around: readonly Node[]): readonly string[] {
    switch (node.type) {
      case "Literal":
        return typeof node.value === "string" ? [node.value] : node.value === null ? [] : [gap];
      case "TemplateLiteral":
        return coarser(node.expressions.map((one) => this.textsOf(one, around))).reduce<readonly string[]>(
          (before, forms, at) => joined(before, forms, node.quasis[at + 1]?.value.cooked ?? ""),
          [node.quasis[0]?.value.cooked ?? ""],
        );
      case "ConditionalExpression":
        return [node.consequent, node.alternate].flatMap((one) => this.textsOf(one, around));
      case "LogicalExpression":
        return [node.left, node.right].flatMap((one) => (isEmpty(one) ? [] : this.textsOf(one, around)));
      case "BinaryExpression": {
        const [left, right] = [this.textsOf(node.left, around), this.textsOf(node.right, around)];
        // A sum of numbers, not a text.
        if (node.operator !== "+" || [...left, ...right].every((one) => one === gap)) return [gap];
        return joined(left, right, "");
      }
      case "SpreadElement":
        return this.textsOf(node.argument, around);
      case "ArrayExpression":
        return node.elements.flatMap((one) => (one === null ? [] : this.textsOf(one, around)));
      case "ArrowFunctionExpression":
        return this.#returned(node);
      case "AwaitExpression":
        return this.textsOf(node.argument, around);
      case "CallExpression":
        return this.returnedBy(nameOf(node));
      case "Identifier":
        return node.name === "undefined" ? [] : this.#valuesOf(node.name, around);
      default:
        return [gap];
    }
  }

  #valuesOf(name: string, around: readonly Node[]): readonly string[] {
    const made = this.#madeAs(name, around);
    const texts = made.flatMap((one) => this.textsOf(one.node, one.around));
    return texts.length === 0 ? [gap] : texts;
  }

  /** Of a parameter: what the file's own calls hand over. Of a constant: what it was made as. */
  #madeAs(name: string, around: readonly Node[]): readonly Placed[] {
    for (const one of around.toReversed() as AnyNode[]) {
      if (isFunction(one)) {
        const at = one.params.map(nameOfParameter).indexOf(name);
        if (at !== -1) return this.#givenTo(one, at);
      }
      const made = this.#declared.find((declared) => declared.name === name && declared.within === one);
      if (made !== undefined) return [{ node: made.value, around }];
    }
    return [];
  }

  #givenTo(called: Function, at: number): readonly Placed[] {
    const name = [...this.#functions].find(([, one]) => one === called)?.[0];
    const given = this.calls.filter(({ call }) => name !== undefined && nameOf(call) === name);
    const usual = called.params[at];
    return [
      ...given.flatMap(({ call, around }): Placed[] => {
        const node = call.arguments[at];
        return node === undefined ? [] : [{ node, around }];
      }),
      ...(usual?.type === "AssignmentPattern" ? [{ node: usual.right, around: [called] }] : []),
    ];
  }

  returnedBy(name: string): readonly string[] {
    const called = this.#functions.get(name);
    return called === undefined ? [gap] : this.#returned(called);
  }

  #returned(called: Function): readonly string[] {
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

/** Parts of one text, in so few forms that their combinations are not too many: what has most of them becomes a gap first. */
function coarser(parts: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const combinations = parts.reduce((product, { length }) => product * Math.max(1, length), 1);
  const several = parts.filter(({ length }) => length > 1).toSorted((one, other) => other.length - one.length);
  if (combinations <= mostCombined || several.length < 2) return parts;
  return coarser(parts.map((forms) => (forms === several[0] ? [gap] : forms)));
}

function joined(before: readonly string[], more: readonly string[], after: string): readonly string[] {
  const texts = more.length === 0 ? [gap] : more;
  return before.flatMap((one) => texts.map((other) => one + other + after));
}

/** `?? ""`: of what is not known nothing is said. */
function isEmpty(node: Node): boolean {
  const literal = node as AnyNode;
  return literal.type === "Literal" && literal.value === "";
}

function nameOfParameter(node: Node): string {
  const parameter = node as AnyNode;
  return nameOfKey(parameter.type === "AssignmentPattern" ? parameter.left : parameter);
}

function isFunction(node: AnyNode): node is Function & AnyNode {
  return /Function/.test(node.type) && "params" in node;
}
