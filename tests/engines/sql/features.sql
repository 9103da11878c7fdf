SELECT
  `t30`.`sales_id`,
  `t30`.`date`,
  `t30`.`store_id`,
  `t30`.`product_id`,
  `t30`.`retailer_id`,
  `t30`.`year`,
  `t30`.`month`,
  `t30`.`day_of_week`,
  `t30`.`is_weekend`,
  `t30`.`quarter`,
  `t30`.`season`,
  `t30`.`store_avg_amount`,
  `t30`.`store_std_amount`,
  `t30`.`store_total_amount`,
  `t30`.`store_avg_quantity`,
  `t30`.`store_std_quantity`,
  `t30`.`store_total_quantity`,
  `t30`.`product_avg_amount`,
  `t30`.`product_std_amount`,
  `t30`.`product_total_amount`,
  `t30`.`product_avg_quantity`,
  `t30`.`product_avg_price`,
  `t30`.`product_std_price`,
  `t30`.`product_frequency`,
  `t30`.`retailer_avg_amount`,
  `t30`.`retailer_avg_quantity`,
  `t30`.`retailer_frequency`,
  `t30`.`product_brand`,
  `t30`.`product_category`,
  `t30`.`product_subcategory`,
  `t30`.`product_supplier`,
  `t30`.`store_format`,
  `t30`.`store_city`,
  `t30`.`store_state`,
  `t30`.`store_region`,
  `t30`.`ev_kept_sales_amount` AS `sales_amount`,
  `t30`.`ev_kept_sales_quantity` AS `sales_quantity`
FROM (
  SELECT
    `t11`.`sales_id`,
    `t11`.`date`,
    `t11`.`store_id`,
    `t11`.`product_id`,
    `t11`.`retailer_id`,
    `t11`.`ev_measure_amount`,
    `t11`.`ev_measure_quantity`,
    `t11`.`ev_measure_price`,
    `t11`.`ev_kept_sales_amount`,
    `t11`.`ev_kept_sales_quantity`,
    `t11`.`year`,
    `t11`.`month`,
    `t11`.`day_of_week`,
    `t11`.`is_weekend`,
    `t11`.`quarter`,
    `t11`.`season`,
    `t19`.`retailer_avg_amount`,
    `t19`.`retailer_avg_quantity`,
    `t19`.`retailer_frequency`,
    `t28`.`store_avg_amount`,
    `t28`.`store_std_amount`,
    `t28`.`store_total_amount`,
    `t28`.`store_avg_quantity`,
    `t28`.`store_std_quantity`,
    `t28`.`store_total_quantity`,
    `t28`.`store_format`,
    `t28`.`store_city`,
    `t28`.`store_state`,
    `t28`.`store_region`,
    `t29`.`product_avg_amount`,
    `t29`.`product_std_amount`,
    `t29`.`product_total_amount`,
    `t29`.`product_avg_quantity`,
    `t29`.`product_avg_price`,
    `t29`.`product_std_price`,
    `t29`.`product_frequency`,
    `t29`.`product_brand`,
    `t29`.`product_category`,
    `t29`.`product_subcategory`,
    `t29`.`product_supplier`
  FROM (
    SELECT
      `t0`.`sales_id`,
      `t0`.`date_key` AS `date`,
      `t0`.`store_id`,
      `t0`.`product_id`,
      `t0`.`retailer_id`,
      CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_measure_amount`,
      CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_measure_quantity`,
      ieee_divide(
        CAST(`t0`.`sales_amount` AS FLOAT64),
        NULLIF(CAST(`t0`.`sales_quantity` AS FLOAT64), 0.0)
      ) AS `ev_measure_price`,
      CAST(`t0`.`sales_amount` AS FLOAT64) AS `ev_kept_sales_amount`,
      CAST(`t0`.`sales_quantity` AS FLOAT64) AS `ev_kept_sales_quantity`,
      EXTRACT(year FROM `t0`.`date_key`) AS `year`,
      EXTRACT(month FROM `t0`.`date_key`) AS `month`,
      MOD(EXTRACT(dayofweek FROM `t0`.`date_key`) + 5, 7) AS `day_of_week`,
      CAST((
        MOD(EXTRACT(dayofweek FROM `t0`.`date_key`) + 5, 7)
      ) >= 5 AS INT64) AS `is_weekend`,
      EXTRACT(quarter FROM `t0`.`date_key`) AS `quarter`,
      CASE
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (12, 1, 2)
        THEN 'winter'
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (3, 4, 5)
        THEN 'spring'
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (6, 7, 8)
        THEN 'summer'
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (9, 10, 11)
        THEN 'autumn'
        ELSE NULL
      END AS `season`
    FROM `fact_sales` AS `t0`
    WHERE
      CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
      AND NOT (
        IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
      )
      AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
      AND NOT (
        IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
      )
  ) AS `t11`
  LEFT OUTER JOIN (
    SELECT
      `t15`.`retailer_id` AS `retailer_id_known`,
      `t15`.`date` AS `date_known`,
      ieee_divide(CAST(`t15`.`ev_amount_sum` AS FLOAT64), `t15`.`ev_rows`) AS `retailer_avg_amount`,
      ieee_divide(CAST(`t15`.`ev_quantity_sum` AS FLOAT64), `t15`.`ev_rows`) AS `retailer_avg_quantity`,
      COALESCE(`t15`.`ev_rows`, 0) AS `retailer_frequency`
    FROM (
      SELECT
        `t12`.`retailer_id`,
        `t12`.`date`,
        SUM(`t12`.`ev_rows`) OVER (
          PARTITION BY `t12`.`retailer_id`
          ORDER BY DATE_DIFF(`t12`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `ev_rows`,
        SUM(`t12`.`ev_amount_sum`) OVER (
          PARTITION BY `t12`.`retailer_id`
          ORDER BY DATE_DIFF(`t12`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `ev_amount_sum`,
        SUM(`t12`.`ev_quantity_sum`) OVER (
          PARTITION BY `t12`.`retailer_id`
          ORDER BY DATE_DIFF(`t12`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `ev_quantity_sum`
      FROM (
        SELECT
          `t8`.`retailer_id`,
          `t8`.`date`,
          COUNT(*) AS `ev_rows`,
          SUM(`t8`.`amount`) AS `ev_amount_sum`,
          SUM(`t8`.`quantity`) AS `ev_quantity_sum`
        FROM (
          SELECT
            `t0`.`retailer_id`,
            `t0`.`date_key` AS `date`,
            CAST(CAST(`t0`.`sales_amount` AS FLOAT64) AS NUMERIC) AS `amount`,
            CAST(CAST(`t0`.`sales_quantity` AS FLOAT64) AS NUMERIC) AS `quantity`
          FROM `fact_sales` AS `t0`
          WHERE
            CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
            AND NOT (
              IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
            )
            AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
            AND NOT (
              IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
            )
            AND `t0`.`retailer_id` IS NOT NULL
        ) AS `t8`
        GROUP BY
          1,
          2
      ) AS `t12`
    ) AS `t15`
  ) AS `t19`
    ON `t11`.`retailer_id` = `t19`.`retailer_id_known`
    AND `t11`.`date` = `t19`.`date_known`
  LEFT OUTER JOIN (
    SELECT
      `t24`.`store_id` AS `store_id_known`,
      `t24`.`date` AS `date_known`,
      `t24`.`store_avg_amount`,
      `t24`.`store_std_amount`,
      `t24`.`store_total_amount`,
      `t24`.`store_avg_quantity`,
      `t24`.`store_std_quantity`,
      `t24`.`store_total_quantity`,
      `t24`.`store_format`,
      `t24`.`store_city`,
      `t24`.`store_state`,
      `t24`.`store_region`
    FROM (
      SELECT
        `t22`.`store_id`,
        `t22`.`date`,
        `t22`.`store_avg_amount`,
        `t22`.`store_std_amount`,
        `t22`.`store_total_amount`,
        `t22`.`store_avg_quantity`,
        `t22`.`store_std_quantity`,
        `t22`.`store_total_quantity`,
        `t22`.`ev_key_0`,
        `t5`.`store_format`,
        `t5`.`store_city`,
        `t5`.`store_state`,
        `t5`.`store_region`
      FROM (
        SELECT
          `t16`.`store_id`,
          `t16`.`date`,
          ieee_divide(CAST(`t16`.`ev_amount_sum` AS FLOAT64), `t16`.`ev_rows`) AS `store_avg_amount`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t16`.`ev_amount_squares` - (
                  CAST(ieee_divide(CAST(`t16`.`ev_amount_sum` AS FLOAT64), `t16`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t16`.`ev_amount_sum` + `t16`.`ev_amount_sum`
                    ) - (
                      `t16`.`ev_rows` * CAST(ieee_divide(CAST(`t16`.`ev_amount_sum` AS FLOAT64), `t16`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t16`.`ev_rows` - 1, 0)
            )
          ) AS `store_std_amount`,
          COALESCE(CAST(`t16`.`ev_amount_sum` AS FLOAT64), 0.0) AS `store_total_amount`,
          ieee_divide(CAST(`t16`.`ev_quantity_sum` AS FLOAT64), `t16`.`ev_rows`) AS `store_avg_quantity`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t16`.`ev_quantity_squares` - (
                  CAST(ieee_divide(CAST(`t16`.`ev_quantity_sum` AS FLOAT64), `t16`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t16`.`ev_quantity_sum` + `t16`.`ev_quantity_sum`
                    ) - (
                      `t16`.`ev_rows` * CAST(ieee_divide(CAST(`t16`.`ev_quantity_sum` AS FLOAT64), `t16`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t16`.`ev_rows` - 1, 0)
            )
          ) AS `store_std_quantity`,
          COALESCE(CAST(`t16`.`ev_quantity_sum` AS FLOAT64), 0.0) AS `store_total_quantity`,
          `t16`.`store_id` AS `ev_key_0`
        FROM (
          SELECT
            `t13`.`store_id`,
            `t13`.`date`,
            SUM(`t13`.`ev_rows`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_rows`,
            SUM(`t13`.`ev_amount_sum`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_sum`,
            SUM(`t13`.`ev_amount_squares`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_squares`,
            SUM(`t13`.`ev_quantity_sum`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_quantity_sum`,
            SUM(`t13`.`ev_quantity_squares`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_quantity_squares`
          FROM (
            SELECT
              `t9`.`store_id`,
              `t9`.`date`,
              COUNT(*) AS `ev_rows`,
              SUM(`t9`.`amount`) AS `ev_amount_sum`,
              SUM(CAST(`t9`.`amount` AS NUMERIC) * `t9`.`amount`) AS `ev_amount_squares`,
              SUM(`t9`.`quantity`) AS `ev_quantity_sum`,
              SUM(CAST(`t9`.`quantity` AS NUMERIC) * `t9`.`quantity`) AS `ev_quantity_squares`
            FROM (
              SELECT
                `t0`.`store_id`,
                `t0`.`date_key` AS `date`,
                CAST(CAST(`t0`.`sales_amount` AS FLOAT64) AS NUMERIC) AS `amount`,
                CAST(CAST(`t0`.`sales_quantity` AS FLOAT64) AS NUMERIC) AS `quantity`
              FROM `fact_sales` AS `t0`
              WHERE
                CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                )
                AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                )
                AND `t0`.`store_id` IS NOT NULL
            ) AS `t9`
            GROUP BY
              1,
              2
          ) AS `t13`
        ) AS `t16`
      ) AS `t22`
      LEFT OUTER JOIN (
        SELECT
          `t1`.`store_id` AS `ev_key_0_known`,
          `t1`.`store_format`,
          `t1`.`store_city`,
          `t1`.`store_state`,
          `t1`.`store_region`
        FROM `dim_store` AS `t1`
      ) AS `t5`
        ON `t22`.`ev_key_0` = `t5`.`ev_key_0_known`
    ) AS `t24`
  ) AS `t28`
    ON `t11`.`store_id` = `t28`.`store_id_known` AND `t11`.`date` = `t28`.`date_known`
  LEFT OUTER JOIN (
    SELECT
      `t25`.`product_id` AS `product_id_known`,
      `t25`.`date` AS `date_known`,
      `t25`.`product_avg_amount`,
      `t25`.`product_std_amount`,
      `t25`.`product_total_amount`,
      `t25`.`product_avg_quantity`,
      `t25`.`product_avg_price`,
      `t25`.`product_std_price`,
      `t25`.`product_frequency`,
      `t25`.`product_brand`,
      `t25`.`product_category`,
      `t25`.`product_subcategory`,
      `t25`.`product_supplier`
    FROM (
      SELECT
        `t23`.`product_id`,
        `t23`.`date`,
        `t23`.`product_avg_amount`,
        `t23`.`product_std_amount`,
        `t23`.`product_total_amount`,
        `t23`.`product_avg_quantity`,
        `t23`.`product_avg_price`,
        `t23`.`product_std_price`,
        `t23`.`product_frequency`,
        `t23`.`ev_key_0`,
        `t6`.`product_brand`,
        `t6`.`product_category`,
        `t6`.`product_subcategory`,
        `t6`.`product_supplier`
      FROM (
        SELECT
          `t17`.`product_id`,
          `t17`.`date`,
          ieee_divide(CAST(`t17`.`ev_amount_sum` AS FLOAT64), `t17`.`ev_rows`) AS `product_avg_amount`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t17`.`ev_amount_squares` - (
                  CAST(ieee_divide(CAST(`t17`.`ev_amount_sum` AS FLOAT64), `t17`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t17`.`ev_amount_sum` + `t17`.`ev_amount_sum`
                    ) - (
                      `t17`.`ev_rows` * CAST(ieee_divide(CAST(`t17`.`ev_amount_sum` AS FLOAT64), `t17`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t17`.`ev_rows` - 1, 0)
            )
          ) AS `product_std_amount`,
          COALESCE(CAST(`t17`.`ev_amount_sum` AS FLOAT64), 0.0) AS `product_total_amount`,
          ieee_divide(CAST(`t17`.`ev_quantity_sum` AS FLOAT64), `t17`.`ev_rows`) AS `product_avg_quantity`,
          ieee_divide(CAST(`t17`.`ev_price_sum` AS FLOAT64), `t17`.`ev_rows`) AS `product_avg_price`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t17`.`ev_price_squares` - (
                  CAST(ieee_divide(CAST(`t17`.`ev_price_sum` AS FLOAT64), `t17`.`ev_rows`) AS NUMERIC) * (
                    (
                      `t17`.`ev_price_sum` + `t17`.`ev_price_sum`
                    ) - (
                      `t17`.`ev_rows` * CAST(ieee_divide(CAST(`t17`.`ev_price_sum` AS FLOAT64), `t17`.`ev_rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t17`.`ev_rows` - 1, 0)
            )
          ) AS `product_std_price`,
          COALESCE(`t17`.`ev_rows`, 0) AS `product_frequency`,
          `t17`.`product_id` AS `ev_key_0`
        FROM (
          SELECT
            `t14`.`product_id`,
            `t14`.`date`,
            SUM(`t14`.`ev_rows`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_rows`,
            SUM(`t14`.`ev_amount_sum`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_sum`,
            SUM(`t14`.`ev_amount_squares`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_amount_squares`,
            SUM(`t14`.`ev_quantity_sum`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_quantity_sum`,
            SUM(`t14`.`ev_price_sum`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_price_sum`,
            SUM(`t14`.`ev_price_squares`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `ev_price_squares`
          FROM (
            SELECT
              `t10`.`product_id`,
              `t10`.`date`,
              COUNT(*) AS `ev_rows`,
              SUM(`t10`.`amount`) AS `ev_amount_sum`,
              SUM(CAST(`t10`.`amount` AS NUMERIC) * `t10`.`amount`) AS `ev_amount_squares`,
              SUM(`t10`.`quantity`) AS `ev_quantity_sum`,
              SUM(`t10`.`price`) AS `ev_price_sum`,
              SUM(CAST(`t10`.`price` AS NUMERIC) * `t10`.`price`) AS `ev_price_squares`
            FROM (
              SELECT
                `t0`.`product_id`,
                `t0`.`date_key` AS `date`,
                CAST(CAST(`t0`.`sales_amount` AS FLOAT64) AS NUMERIC) AS `amount`,
                CAST(CAST(`t0`.`sales_quantity` AS FLOAT64) AS NUMERIC) AS `quantity`,
                CAST(ieee_divide(
                  CAST(`t0`.`sales_amount` AS FLOAT64),
                  NULLIF(CAST(`t0`.`sales_quantity` AS FLOAT64), 0.0)
                ) AS NUMERIC) AS `price`
              FROM `fact_sales` AS `t0`
              WHERE
                CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_quantity` AS FLOAT64))
                )
                AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                )
                AND `t0`.`product_id` IS NOT NULL
            ) AS `t10`
            GROUP BY
              1,
              2
          ) AS `t14`
        ) AS `t17`
      ) AS `t23`
      LEFT OUTER JOIN (
        SELECT
          `t2`.`product_id` AS `ev_key_0_known`,
          `t2`.`product_brand`,
          `t2`.`product_category`,
          `t2`.`product_subcategory`,
          `t2`.`product_supplier`
        FROM `dim_product` AS `t2`
      ) AS `t6`
        ON `t23`.`ev_key_0` = `t6`.`ev_key_0_known`
    ) AS `t25`
  ) AS `t29`
    ON `t11`.`product_id` = `t29`.`product_id_known`
    AND `t11`.`date` = `t29`.`date_known`
) AS `t30`
