package doccheck

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link finds [text](target). What lies on other machines is not looked at: a
// test must not fail because of them.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows every link that stays in the repository.
func TestLinks(t *testing.T) {
	checked := 0
	for _, p := range pages(t) {
		for i, line := range p.prose {
			for _, match := range link.FindAllStringSubmatch(line, -1) {
				target := match[1]
				if strings.Contains(target, "://") {
					continue
				}
				checked++
				if problem := follow(&p, target); problem != "" {
					t.Errorf("%s:%d: %s: %s", p.path, i+1, target, problem)
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d links were checked", checked)
	}
}

// follow says what is wrong with a link, "" if nothing is.
func follow(from *page, target string) string {
	file, anchor, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		name := filepath.Join(root, filepath.FromSlash(path.Join(path.Dir(from.path), file)))
		if _, err := os.Stat(name); err != nil {
			return "there is no such file"
		}
		if anchor == "" {
			return ""
		}
		read, err := readPage(name)
		if err != nil {
			return err.Error()
		}
		to = &read
	}
	if !to.anchors()[anchor] {
		return "there is no such heading"
	}
	return ""
}

// TestLinksAreFollowed shows follow what it must not let through.
func TestLinksAreFollowed(t *testing.T) {
	p := parsePage("docs/page.md", "# A heading, `with` code\n\n```\n# not one\n```\n")
	for target, ok := range map[string]bool{
		"#a-heading-with-code": true,
		"#not-one":             false,
		"design.md":            true,
		"../README.md#try-it":  true,
		"../README.md#try":     false,
		"README.md":            false,
	} {
		if problem := follow(&p, target); (problem == "") != ok {
			t.Errorf("%s: %q", target, problem)
		}
	}
}
