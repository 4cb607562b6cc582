package api

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// NextPageToken is the page_token of the next page; it is empty on the last.
	NextPageToken string `json:"next_page_token,omitempty"`
}

// PageInput says which part of a list is asked for. It is exported because huma
// looks into exported embedded structs only.
type PageInput struct {
	Limit     int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most items of the page."`
	PageToken string `query:"page_token" maxLength:"1024" doc:"next_page_token of the page before."`
}

// cursor is where the page begins: after the item of this key.
func (in PageInput) cursor() (string, error) {
	key, err := base64.RawURLEncoding.DecodeString(in.PageToken)
	if err != nil {
		return "", huma.Error422UnprocessableEntity("page_token: it is not one that a page gave")
	}
	return string(key), nil
}

// before is the number that the items of the page are smaller than; otherwise is
// that of the first page.
func (in PageInput) before(otherwise int64) (int64, error) {
	key, err := in.cursor()
	if err != nil || key == "" {
		return otherwise, err
	}
	n, err := strconv.ParseInt(key, 10, 64)
	if err != nil || n < 1 {
		return 0, huma.Error422UnprocessableEntity("page_token: it is not one that a page gave")
	}
	return n, nil
}

func token(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// paged cuts the page out of a list that is sorted by key.
func paged[T any](all []T, in PageInput, key func(T) string) (Page[T], error) {
	after, err := in.cursor()
	if err != nil {
		return Page[T]{}, err
	}
	from := 0
	if after != "" {
		var found bool
		from, found = slices.BinarySearchFunc(all, after, func(one T, after string) int { return cmp.Compare(key(one), after) })
		if found {
			from++
		}
	}
	to := min(len(all), from+in.Limit)
	page := Page[T]{Items: append([]T{}, all[from:to]...)}
	if to < len(all) {
		page.NextPageToken = token(key(all[to-1]))
	}
	return page, nil
}

// numbered is a page of items with falling numbers, of which one more than the
// limit was asked for.
func numbered[T any](items []T, in PageInput, number func(T) int64) Page[T] {
	page := Page[T]{Items: append([]T{}, items[:min(len(items), in.Limit)]...)}
	if len(items) > in.Limit {
		page.NextPageToken = token(strconv.FormatInt(number(page.Items[in.Limit-1]), 10))
	}
	return page
}
