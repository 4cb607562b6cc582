package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
)

// knowledgeSchema adds the optimizers and their samples. A sample's values are a
// JSON object by metric name, null where there is none.
const knowledgeSchema = `
CREATE TABLE optimizers (
  name   TEXT PRIMARY KEY,
  config TEXT NOT NULL
) STRICT;
CREATE TABLE samples (
  optimizer  TEXT NOT NULL,
  at         INTEGER NOT NULL,
  nodes      INTEGER NOT NULL,
  total      INTEGER NOT NULL,
  metrics    TEXT NOT NULL,
  boots      TEXT NOT NULL,
  advised_at INTEGER NOT NULL,
  training   INTEGER NOT NULL,
  PRIMARY KEY (optimizer, at)
) STRICT, WITHOUT ROWID;`

// StoredOptimizers implements scaler.Knowledge.
func (s *SQLite) StoredOptimizers(ctx context.Context) ([]scaler.StoredOptimizer, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT name, config FROM optimizers ORDER BY name")
	return collect(rows, err, "optimizers", func(r *sql.Rows) (scaler.StoredOptimizer, error) {
		o := scaler.StoredOptimizer{Config: optimizer.Default()}
		var config []byte
		if err := r.Scan(&o.Name, &config); err != nil {
			return o, err
		}
		return o, json.Unmarshal(config, &o.Config)
	})
}

// SaveOptimizer implements scaler.Knowledge.
func (s *SQLite) SaveOptimizer(ctx context.Context, o scaler.StoredOptimizer) error {
	config, err := json.Marshal(o.Config)
	if err != nil {
		return fmt.Errorf("encode optimizer %s: %w", o.Name, err)
	}
	return s.exec(ctx, "optimizer "+o.Name, "INSERT OR REPLACE INTO optimizers (name, config) VALUES (?, ?)", o.Name, string(config))
}

// DeleteOptimizer implements scaler.Knowledge.
func (s *SQLite) DeleteOptimizer(ctx context.Context, name string) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM optimizers WHERE name = ?", name); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM samples WHERE optimizer = ?", name)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete optimizer %s: %w", name, err)
	}
	return nil
}

// Samples implements scaler.Knowledge.
func (s *SQLite) Samples(ctx context.Context, name string) ([]scaler.StoredSample, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT at, nodes, total, metrics, boots, advised_at, training FROM samples WHERE optimizer = ? ORDER BY at", name)
	return collect(rows, err, "samples of "+name, func(r *sql.Rows) (scaler.StoredSample, error) {
		var one scaler.StoredSample
		var at, advised int64
		var metrics, boots []byte
		if err := r.Scan(&at, &one.Nodes, &one.Total, &metrics, &boots, &advised, &one.Training); err != nil {
			return one, err
		}
		one.At, one.AdvisedAt = time.Unix(0, at).UTC(), instant(advised)
		var values map[string]*float64
		if err := json.Unmarshal(metrics, &values); err != nil {
			return one, fmt.Errorf("values of %s: %w", one.At, err)
		}
		one.Values = make(map[string]float64, len(values))
		for metric, v := range values {
			one.Values[metric] = math.NaN()
			if v != nil {
				one.Values[metric] = *v
			}
		}
		if len(boots) > 0 {
			if err := json.Unmarshal(boots, &one.Boots); err != nil {
				return one, fmt.Errorf("boots of %s: %w", one.At, err)
			}
		}
		return one, nil
	})
}

// SaveSamples implements scaler.Knowledge.
func (s *SQLite) SaveSamples(ctx context.Context, name string, samples []scaler.StoredSample) error {
	err := s.transact(ctx, func(tx *sql.Tx) error { return insertSamples(ctx, tx, name, samples) })
	if err != nil {
		return fmt.Errorf("save samples of %s: %w", name, err)
	}
	return nil
}

// ReplaceSamples implements scaler.Knowledge.
func (s *SQLite) ReplaceSamples(ctx context.Context, name string, samples []scaler.StoredSample) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM samples WHERE optimizer = ?", name); err != nil {
			return err
		}
		return insertSamples(ctx, tx, name, samples)
	})
	if err != nil {
		return fmt.Errorf("replace samples of %s: %w", name, err)
	}
	return nil
}

func insertSamples(ctx context.Context, tx *sql.Tx, name string, samples []scaler.StoredSample) error {
	insert, err := tx.PrepareContext(ctx, `INSERT OR REPLACE INTO samples
		(optimizer, at, nodes, total, metrics, boots, advised_at, training) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, one := range samples {
		values := make(map[string]*float64, len(one.Values))
		for metric, v := range one.Values {
			values[metric] = nil
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				values[metric] = &v
			}
		}
		metrics, err := json.Marshal(values)
		if err != nil {
			return err
		}
		boots := ""
		if len(one.Boots) > 0 {
			text, err := json.Marshal(one.Boots)
			if err != nil {
				return err
			}
			boots = string(text)
		}
		if _, err := insert.ExecContext(ctx, name, one.At.UnixNano(), one.Nodes, one.Total, string(metrics), boots, nanos(one.AdvisedAt), one.Training); err != nil {
			return err
		}
	}
	return nil
}

// DeleteSamples implements scaler.Knowledge.
func (s *SQLite) DeleteSamples(ctx context.Context, name string, at []time.Time) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		remove, err := tx.PrepareContext(ctx, "DELETE FROM samples WHERE optimizer = ? AND at = ?")
		if err != nil {
			return err
		}
		defer remove.Close()
		for _, t := range at {
			if _, err := remove.ExecContext(ctx, name, t.UnixNano()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete samples of %s: %w", name, err)
	}
	return nil
}
