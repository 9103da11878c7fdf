SELECT
  `t4`.`key`,
  `t4`.`piece`,
  `t4`.`code`,
  COUNT(*) AS `rows`
FROM (
  SELECT
    `t3`.`piece`,
    `t3`.`__pivoted__`.`key` AS `key`,
    `t3`.`__pivoted__`.`code` AS `code`
  FROM (
    SELECT
      `t2`.`piece`,
      IF(pos = pos_2, `__pivoted__`, NULL) AS `__pivoted__`
    FROM (
      SELECT
        CAST(0 AS INT64) AS `piece`,
        IF(
          `t1`.`c0` IS NULL,
          5,
          IF(IS_INF(`t1`.`c0`), 4, 3 - RANGE_BUCKET(-(
            `t1`.`c0`
          ), [-20.0, -12.25, -9.5]))
        ) AS `c0`,
        IF(
          `t1`.`c1` IS NULL,
          3,
          CASE WHEN `t1`.`c1` = 'winter' THEN 0 WHEN `t1`.`c1` = 'summer' THEN 1 ELSE 2 END
        ) AS `c1`
      FROM (
        SELECT
          IF(IS_NAN(`t0`.`store_avg_amount`), CAST(NULL AS FLOAT64), `t0`.`store_avg_amount`) AS `c0`,
          `t0`.`season` AS `c1`
        FROM `features` AS `t0`
      ) AS `t1`
    ) AS `t2`
    CROSS JOIN UNNEST(GENERATE_ARRAY(
      0,
      GREATEST(
        ARRAY_LENGTH(
          [
            STRUCT('c0' AS `key`, `t2`.`c0` AS `code`),
            STRUCT('c1' AS `key`, `t2`.`c1` AS `code`)
          ]
        )
      ) - 1
    )) AS pos
    CROSS JOIN UNNEST([
      STRUCT('c0' AS `key`, `t2`.`c0` AS `code`),
      STRUCT('c1' AS `key`, `t2`.`c1` AS `code`)
    ]) AS `__pivoted__` WITH OFFSET AS pos_2
    WHERE
      pos = pos_2
      OR (
        pos > (
          ARRAY_LENGTH(
            [
              STRUCT('c0' AS `key`, `t2`.`c0` AS `code`),
              STRUCT('c1' AS `key`, `t2`.`c1` AS `code`)
            ]
          ) - 1
        )
        AND pos_2 = (
          ARRAY_LENGTH(
            [
              STRUCT('c0' AS `key`, `t2`.`c0` AS `code`),
              STRUCT('c1' AS `key`, `t2`.`c1` AS `code`)
            ]
          ) - 1
        )
      )
  ) AS `t3`
) AS `t4`
GROUP BY
  1,
  2,
  3
