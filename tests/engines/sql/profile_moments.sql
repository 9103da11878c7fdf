SELECT
  COUNT(*) AS `rows`,
  AVG(IF(IS_INF(`t1`.`c0`), CAST(NULL AS FLOAT64), `t1`.`c0`)) AS `c0_mean`,
  VAR_POP(IF(IS_INF(`t1`.`c0`), CAST(NULL AS FLOAT64), `t1`.`c0`)) AS `c0_var`,
  COUNT(IF(IS_INF(`t1`.`c0`), CAST(NULL AS FLOAT64), `t1`.`c0`)) AS `c0_n`,
  MIN(IF(IS_INF(`t1`.`c0`), CAST(NULL AS FLOAT64), `t1`.`c0`)) AS `c0_min`,
  MAX(IF(IS_INF(`t1`.`c0`), CAST(NULL AS FLOAT64), `t1`.`c0`)) AS `c0_max`
FROM (
  SELECT
    IF(IS_NAN(`t0`.`store_avg_amount`), CAST(NULL AS FLOAT64), `t0`.`store_avg_amount`) AS `c0`,
    `t0`.`season` AS `c1`
  FROM `features` AS `t0`
) AS `t1`
