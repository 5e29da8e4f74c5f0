package words

import (
	"slices"
	"unicode/utf8"
)

// MaxEdits is how many wrong letters a word may have to be taken for another one.
func MaxEdits(word string) int {
	if utf8.RuneCountInString(word) < 6 {
		return 1
	}
	return 2
}

// Edits returns how many letters have to be added, left out, changed or swapped with their neighbour to make b
// of a (optimal string alignment distance). Words longer than 64 characters are cut.
func Edits(a, b string) int {
	x, y := []rune(cut(a)), []rune(cut(b))
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(y); j++ {
			same := 1
			if x[i-1] == y[j-1] {
				same = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+same)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, row, before
	}
	return rows[1][len(y)]
}

// Slip tells how much of a slip of the fingers it is to write a for b: twice the edits, and one less where letters are only in
// another order, the slip that is made most.
func Slip(a, b string) int {
	x, y := []rune(cut(a)), []rune(cut(b))
	slices.Sort(x)
	slices.Sort(y)
	if a != b && slices.Equal(x, y) {
		return 2*Edits(a, b) - 1
	}
	return 2 * Edits(a, b)
}
