// Peer prints what osv-scalibr reads in lockfiles: for each file one JSON line with its packages.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/packageslockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gomod"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/gradlelockfile"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagelockjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/pnpmlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/php/composerlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/poetrylock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/uvlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargolock"
	scalibrfs "github.com/google/osv-scalibr/fs"
)

type readers map[string]func(*cpb.PluginConfig) (filesystem.Extractor, error)

var byKind = readers{
	"cargo":        cargolock.New,
	"composer":     composerlock.New,
	"gemfile":      gemfilelock.New,
	"go":           gomod.New,
	"gradle":       gradlelockfile.New,
	"npm":          packagelockjson.New,
	"nuget":        packageslockjson.New,
	"pipfile":      pipfilelock.New,
	"pnpm":         pnpmlock.New,
	"poetry":       poetrylock.New,
	"requirements": requirements.New,
	"uv":           uvlock.New,
	"yarn":         yarnlock.New,
}

type found struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Purl    string `json:"purl"`
}

func read(kind, path string) ([]found, error) {
	extractor, err := byKind[kind](&cpb.PluginConfig{})
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	folder := filepath.Dir(path)
	inventory, err := extractor.Extract(context.Background(), &filesystem.ScanInput{
		FS: scalibrfs.DirFS(folder), Path: filepath.Base(path), Root: folder, Info: info, Reader: file,
	})
	if err != nil {
		return nil, err
	}
	packages := []found{}
	for _, p := range inventory.Packages {
		purl := ""
		if made := p.PURL(); made != nil {
			purl = made.String()
		}
		packages = append(packages, found{p.Name, p.Version, purl})
	}
	sort.Slice(packages, func(a, b int) bool {
		return packages[a].Name+"@"+packages[a].Version < packages[b].Name+"@"+packages[b].Version
	})
	return packages, nil
}

// Arguments are pairs of a kind and a path.
func main() {
	out := json.NewEncoder(os.Stdout)
	for at := 1; at+1 < len(os.Args); at += 2 {
		packages, err := read(os.Args[at], os.Args[at+1])
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[at+1], err)
			os.Exit(1)
		}
		out.Encode(map[string]any{"kind": os.Args[at], "path": os.Args[at+1], "packages": packages})
	}
}
