import ts from "typescript";

/** A TypeScript type whose properties carry JSDoc comments: the source of a reference's descriptions. */
export class DocumentedType {
  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly type: ts.Type | undefined,
    private readonly symbol?: ts.Symbol,
  ) {}

  /** The comment as one paragraph of Markdown; empty where there is none. */
  get description(): string {
    const parts = this.symbol?.getDocumentationComment(this.checker) ?? [];
    return ts
      .displayPartsToString(parts)
      .replace(/\s*\n\s*/g, " ")
      .trim();
  }

  /** Texts of all tags of one name: `@example`, `@see`. */
  tags(name: string): string[] {
    const tags = this.symbol?.getJsDocTags(this.checker) ?? [];
    return tags.filter((tag) => tag.name === name).map(({ text }) => ts.displayPartsToString(text).trim());
  }

  tag(name: string): string | undefined {
    return this.tags(name)[0];
  }

  property(name: string): DocumentedType {
    const type = this.type && this.checker.getNonNullableType(this.type);
    const candidates = type?.isUnion() ? type.types : type ? [type] : [];
    const symbol = candidates.map((each) => this.checker.getPropertyOfType(each, name)).find(Boolean);
    return new DocumentedType(this.checker, symbol && this.checker.getTypeOfSymbol(symbol), symbol);
  }

  /** The type of a list's elements, or of a map's values. */
  element(): DocumentedType {
    const type = this.type && this.checker.getNonNullableType(this.type);
    const element =
      type &&
      (this.checker.getIndexTypeOfType(type, ts.IndexKind.Number) ??
        this.checker.getIndexTypeOfType(type, ts.IndexKind.String));
    return new DocumentedType(this.checker, element);
  }
}

/** Reads the JSDoc comments of TypeScript modules through the compiler. */
export class Documentation {
  private readonly program: ts.Program;
  private readonly checker: ts.TypeChecker;

  /**
   * @param files Paths of all modules that will be asked for: one program serves them all, since making it takes
   * seconds.
   */
  constructor(files: readonly string[]) {
    this.program = ts.createProgram([...files], {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      noEmit: true,
      esModuleInterop: true,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ["node"],
    });
    this.checker = this.program.getTypeChecker();
  }

  /**
   * The input type of a zod schema that a module exports.
   * @param path Property path from the export to the schema: `["inputs"]` for a contract.
   * @throws Error if the module has no such export.
   */
  schemaType(file: string, name: string, path: readonly string[] = []): DocumentedType {
    const exported = this.exported(file, name);
    const schema = path.reduce(
      (type, property) => type.property(property),
      new DocumentedType(this.checker, this.checker.getTypeOfSymbol(exported), exported),
    );
    // zod keeps the input type in a property of the schema's type.
    return schema.property("_zod").property("input");
  }

  /** The comment above an exported declaration. */
  declaration(file: string, name: string): DocumentedType {
    const symbol = this.exported(file, name);
    return new DocumentedType(this.checker, undefined, symbol);
  }

  private exported(file: string, name: string): ts.Symbol {
    const source = this.program.getSourceFile(file);
    const module = source && this.checker.getSymbolAtLocation(source);
    const symbol = module && this.checker.getExportsOfModule(module).find((each) => each.name === name);
    if (!symbol) throw new Error(`${file} exports no ${name}`);
    return symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }
}
