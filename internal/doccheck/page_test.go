package doccheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is where the module lies.
const root = "../.."

// A page is a Markdown file.
type page struct {
	path   string // from the module's root, with slashes
	lines  []string
	blocks []block
	prose  []string // the lines outside of blocks; "" for those inside
}

// A block is a fenced code block.
type block struct {
	language string
	line     int // of its first line, from 1
	text     string
}

// pages returns every Markdown file that we wrote.
func pages(t *testing.T) (found []page) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(entry.Name()):
			return fs.SkipDir
		case !entry.IsDir() && filepath.Ext(name) == ".md":
			p, err := readPage(name)
			found = append(found, p)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 4 {
		t.Fatalf("only %d pages were found", len(found))
	}
	return found
}

func skipped(dir string) bool {
	return dir == "node_modules" || strings.HasPrefix(dir, ".") && dir != ".."
}

func readPage(name string) (p page, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return p, err
	}
	rel, err := filepath.Rel(root, name)
	p = parsePage(filepath.ToSlash(rel), string(text))
	return p, err
}

// parsePage separates blocks and prose.
func parsePage(path, text string) page {
	p := page{path: path, lines: strings.Split(text, "\n")}
	var inside *block
	for i, line := range p.lines {
		language, fence := strings.CutPrefix(line, "```")
		prose := ""
		switch {
		case fence && inside == nil:
			inside = &block{language: language, line: i + 2}
		case fence:
			p.blocks = append(p.blocks, *inside)
			inside = nil
		case inside != nil:
			inside.text += line + "\n"
		default:
			prose = line
		}
		p.prose = append(p.prose, prose)
	}
	return p
}

// anchors returns the names that links to the page's headings use: in lower
// case, with hyphens for spaces and without punctuation.
func (p *page) anchors() map[string]bool {
	names := make(map[string]bool)
	for _, line := range p.prose {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(heading)), " ", "-")
			names[punctuation.ReplaceAllString(name, "")] = true
		}
	}
	return names
}

var punctuation = regexp.MustCompile(`[^\p{L}\p{N}_-]`)
