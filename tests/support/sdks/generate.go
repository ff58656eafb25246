// Generates the SDKs of a schema for Go, Node.js and Python, as `pulumi package gen-sdk` does with the official hosts:
// generate SCHEMA FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func write(folder string, files map[string][]byte) {
	for name, content := range files {
		path := filepath.Join(folder, name)
		must(0, os.MkdirAll(filepath.Dir(path), 0o755))
		must(0, os.WriteFile(path, content, 0o644))
	}
}

// bind returns a new package for each generator, because generators change it. Warnings are errors.
func bind(text []byte) *schema.Package {
	var spec schema.PackageSpec
	must(0, json.Unmarshal(text, &spec))
	pkg, diagnostics, err := schema.BindSpec(spec, schema.NewNullLoader(), schema.ValidationOptions{})
	must(0, err)
	for _, diagnostic := range diagnostics {
		fmt.Fprintln(os.Stderr, diagnostic.Error())
	}
	if len(diagnostics) > 0 {
		os.Exit(1)
	}
	return pkg
}

func main() {
	text := must(os.ReadFile(os.Args[1]))
	folder := os.Args[2]
	write(filepath.Join(folder, "go"), must(golang.GeneratePackage("pulumi", bind(text), nil)))
	write(filepath.Join(folder, "nodejs"), must(nodejs.GeneratePackage("pulumi", bind(text), nil, nil, false, nil)))
	write(filepath.Join(folder, "python"), must(python.GeneratePackage("pulumi", bind(text), nil, nil)))
}
