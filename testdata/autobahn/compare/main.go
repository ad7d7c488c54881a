// Command compare compares a report of the Autobahn Testsuite with what is
// expected of every case, and fails at each difference.
//
//	go run ./testdata/autobahn/compare -agents tandem-sync,tandem-async reports/servers/index.json
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
)

func main() {
	expected := flag.String("expected", "testdata/autobahn/expected.json", "the file of what is expected")
	agents := flag.String("agents", "tandem-sync,tandem-async", "whom the report has to be about")
	flag.Parse()
	log.SetFlags(0)
	if flag.NArg() != 1 {
		log.Fatal("compare: want the name of one index.json")
	}
	differences, err := compareFiles(*expected, flag.Arg(0), strings.Split(*agents, ","))
	if err != nil {
		log.Fatal(err)
	}
	for _, difference := range differences {
		fmt.Println(difference)
	}
	if len(differences) > 0 {
		log.Fatalf("%s: %d differences from what is expected", flag.Arg(0), len(differences))
	}
	fmt.Printf("%s: as expected\n", flag.Arg(0))
}

func compareFiles(expectedName, reportName string, agents []string) ([]string, error) {
	var expected Cases
	if err := readJSON(expectedName, &expected); err != nil {
		return nil, err
	}
	var report Report
	if err := readJSON(reportName, &report); err != nil {
		return nil, err
	}
	return compare(expected, report, agents), nil
}

func readJSON(name string, v any) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
