// Generates the SDK of a schema for .NET with the last generator whose module contains it: generate SCHEMA FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/dotnet"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	var spec schema.PackageSpec
	must(0, json.Unmarshal(must(os.ReadFile(os.Args[1])), &spec))
	// The generator downloads a logo, from the internet unless the schema names one.
	logo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "logo") }))
	defer logo.Close()
	spec.LogoURL = logo.URL
	pkg := must(schema.ImportSpec(spec, nil))
	for name, content := range must(dotnet.GeneratePackage("pulumi", pkg, nil)) {
		path := filepath.Join(os.Args[2], "dotnet", name)
		must(0, os.MkdirAll(filepath.Dir(path), 0o755))
		must(0, os.WriteFile(path, content, 0o644))
	}
}
